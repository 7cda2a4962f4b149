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

/// Says something about what goes on, and in which test: two run side by side.
pub fn note(text: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    // Not captured: the times are wanted from runs that pass, too.
    let _ = writeln!(std::io::stderr(), "{test:15} {text}");
}

struct Timer<'a>(&'a str, Instant);

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let word = if std::thread::panicking() {
            "FAILED"
        } else {
            "ok"
        };
        let took = self.1.elapsed().as_secs_f64();
        note(&format!("{took:8.1} s  {word:6}  {}", self.0));
    }
}
