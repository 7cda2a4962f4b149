//! The framing of requests and answers in the streams of the step shell.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::script::quote;

/// bash reads its script from a pipe byte by byte (0.4 µs each, measured: 8 ms for 20 kB); from
/// this size on, two forks (about 1 ms) are cheaper.
const WORTH_A_FORK: usize = 4096;

/// The text that makes the step shell run one request. `exact`: the shell reads no further than
/// the line that it is running (bash does not, dash does), so raw text can follow that line.
pub(super) fn encode(
    number: u64,
    generation: u64,
    script: &str,
    stdin: Option<&[u8]>,
    exact: bool,
) -> Vec<u8> {
    let mut fetch = String::new();
    let mut raw = String::new();
    let mut word = |name: &str, text: &str| {
        if !exact || text.len() < WORTH_A_FORK {
            return quote(text);
        }
        // A link that drops here leaves a part: it must never be run. The dot keeps final newlines.
        fetch.push_str(&format!(
            "__{name}=$(head -c {} && echo .) && [ ${{#__{name}}} -eq {} ] || exit; __{name}=${{__{name}%.}}; ",
            text.len(),
            text.len() + 1
        ));
        raw.push_str(text);
        format!("\"$__{name}\"")
    };
    let script = word("x", script);
    let stdin = stdin.map(|bytes| word("i", &STANDARD.encode(bytes)));
    let stdin = stdin.unwrap_or_default();
    format!("{fetch}__run {number} {generation} {script} {stdin}\n{raw}").into_bytes()
}

/// What is kept of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The first so many bytes.
    First(usize),
    /// About the last so many bytes (up to twice as many).
    Last(usize),
}

/// What came before one marker, and what stood in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) body: Vec<u8>,
    pub(super) truncated: bool,
    /// The words after the nonce.
    pub(super) words: String,
}

/// Finds the markers in one stream, whatever else is in it, in bounded memory.
pub(super) struct Scanner {
    marker: Vec<u8>,
    /// Not yet known to be free of a marker.
    unseen: Vec<u8>,
    body: Vec<u8>,
    truncated: bool,
}

/// A marker's line is `NONCE NUMBER STATUS`; one that does not end by then is not ours.
const LONGEST_LINE: usize = 128;

impl Scanner {
    pub(super) fn new(nonce: &str) -> Self {
        Self {
            marker: format!("{nonce} ").into_bytes(),
            unseen: Vec::new(),
            body: Vec::new(),
            truncated: false,
        }
    }

    /// Takes what was read and gives back the frames that it completes. `keep` is asked with 0
    /// for the first frame that is not complete yet, with 1 for the one after it, and so on.
    pub(super) fn feed(&mut self, bytes: &[u8], keep: impl Fn(usize) -> Keep) -> Vec<Frame> {
        let mut unseen = std::mem::take(&mut self.unseen);
        unseen.extend_from_slice(bytes);
        let mut frames = Vec::new();
        let mut from = 0;
        loop {
            let limit = keep(frames.len());
            let rest = &unseen[from..];
            let Some(at) = memmem::find(rest, &self.marker) else {
                // the end may be the beginning of a marker
                let sure = rest.len().saturating_sub(self.marker.len() - 1);
                self.body.extend_from_slice(&rest[..sure]);
                self.trim(limit);
                from += sure;
                break;
            };
            self.body.extend_from_slice(&rest[..at]);
            self.trim(limit);
            let line = &rest[at + self.marker.len()..];
            match memchr::memchr(b'\n', &line[..line.len().min(LONGEST_LINE)]) {
                Some(end) => {
                    let words = String::from_utf8_lossy(&line[..end]).into_owned();
                    let body = std::mem::take(&mut self.body);
                    frames.push(Frame {
                        body,
                        truncated: std::mem::take(&mut self.truncated),
                        words,
                    });
                    from += at + self.marker.len() + end + 1;
                }
                None if line.len() < LONGEST_LINE => {
                    from += at;
                    break;
                }
                None => {
                    self.body.extend_from_slice(&rest[at..=at]);
                    from += at + 1;
                }
            }
        }
        unseen.drain(..from);
        self.unseen = unseen;
        frames
    }

    fn trim(&mut self, keep: Keep) {
        match keep {
            Keep::First(limit) if self.body.len() > limit => {
                self.body.truncate(limit);
                self.truncated = true;
            }
            Keep::Last(limit) if self.body.len() > 2 * limit => {
                self.body.drain(..self.body.len() - limit);
                self.truncated = true;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Keep = Keep::First(usize::MAX);

    fn frame(body: &[u8], words: &str) -> Frame {
        Frame {
            body: body.to_vec(),
            truncated: false,
            words: words.into(),
        }
    }

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let stream =
            b"a\0b\xff\nNONCE 1 0\nno newlineNONCE 2 3\nNONCE 3 0\nNONC E NONCENONCE 4 0\n";
        let expected = vec![
            frame(b"a\0b\xff\n", "1 0"),
            frame(b"no newline", "2 3"),
            frame(b"", "3 0"),
            frame(b"NONC E NONCE", "4 0"),
        ];
        for size in 1..=stream.len() {
            let mut scanner = Scanner::new("NONCE");
            let found: Vec<Frame> = stream
                .chunks(size)
                .flat_map(|chunk| scanner.feed(chunk, |_| ALL))
                .collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_bound_follows_the_frame() {
        let mut scanner = Scanner::new("NONCE");
        for _ in 0..1000 {
            assert!(scanner.feed(&[b'x'; 1000], |_| Keep::First(10)).is_empty());
            assert!(scanner.body.len() + scanner.unseen.len() < 2100);
        }
        let limits = [Keep::First(10), Keep::First(3), Keep::Last(2)];
        let frames = scanner.feed(b"NONCE 1 0\nabcdNONCE 2 0\n12345NONCE 3 0\n", |n| {
            limits.get(n).copied().unwrap_or(ALL)
        });
        let seen: Vec<_> = frames
            .iter()
            .map(|f| (f.body.as_slice(), f.truncated))
            .collect();
        assert_eq!(
            seen,
            [(&b"xxxxxxxxxx"[..], true), (b"abc", true), (b"45", true)]
        );
    }

    #[test]
    fn a_marker_that_never_ends_is_text() {
        let mut scanner = Scanner::new("NONCE");
        let mut text = b"NONCE ".to_vec();
        text.extend([b'y'; 300]);
        text.extend(b"NONCE 1 0\n");
        let frames = scanner.feed(&text, |_| ALL);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].body.len(), 306);
    }
}
