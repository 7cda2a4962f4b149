//! What is proved, and how long it took.

use std::io::Write;
use std::time::Instant;

/// Runs one scenario and says how long it took, also when it fails.
pub fn scenario<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let timer = Timer(what, Instant::now());
    let result = run();
    drop(timer);
    result
}

struct Timer<'a>(&'a str, Instant);

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let word = if std::thread::panicking() {
            "FAILED"
        } else {
            "ok"
        };
        // Not captured: the times are wanted from runs that pass, too.
        let _ = writeln!(
            std::io::stderr(),
            "{:8.1} s  {word:6}  {}",
            self.1.elapsed().as_secs_f64(),
            self.0
        );
    }
}
