//! Watches the argument lists and environments of all processes of the machine, those of the lab's hosts among them.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A watch under way.
pub struct Watch {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    /// Keeps what contains one of `words`. A process is seen when it lives for some 20 ms.
    pub fn start(words: &'static [&'static str]) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !end.load(Ordering::Relaxed) {
                look(words, &mut seen);
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        Self { ended, thread }
    }

    /// Ends the watch; what was seen.
    pub fn stop(self) -> BTreeSet<String> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn look(words: &[&str], seen: &mut BTreeSet<String>) {
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let name = process.file_name();
        if !name
            .to_string_lossy()
            .bytes()
            .all(|byte| byte.is_ascii_digit())
        {
            continue;
        }
        for file in ["cmdline", "environ"] {
            // It may have ended meanwhile.
            let bytes = fs::read(process.path().join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
            if words.iter().any(|word| text.contains(word)) {
                seen.insert(format!("{file}: {text}"));
            }
        }
    }
}
