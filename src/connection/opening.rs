//! Reads what a process says while it is being opened: ready, a password wanted, or refused.

use memchr::memmem;

use super::ConnectFailure;
use super::channel::Process;
use super::diagnose::last_lines;
use super::script::Way;

/// Output before the process is ready (login scripts, sudo's lecture) beyond this is nonsense.
const MOST_CHATTER: usize = 1 << 20;

/// What both streams said so far.
pub(super) struct Opening {
    nonce: String,
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
    /// Whether the password was sent.
    pub(super) asked: bool,
}

/// A process that runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) way: Way,
    pub(super) process: Process,
    pub(super) bash: bool,
    /// What was read behind the ready lines.
    pub(super) early: (Vec<u8>, Vec<u8>),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Wait,
    SendPassword,
    Ready(Ready),
    Fail(ConnectFailure),
}

impl Opening {
    pub(super) fn new(nonce: &str) -> Self {
        Self {
            nonce: nonce.into(),
            out: Vec::new(),
            err: Vec::new(),
            asked: false,
        }
    }

    /// `ended`: standard output is at its end, and all of standard error was read.
    pub(super) fn next(&mut self, ended: bool) -> Next {
        if let Some(ready) = self.ready() {
            return Next::Ready(ready);
        }
        let said = self.said();
        if self.asked && password_refused(&said, self.prompts()) {
            return Next::Fail(ConnectFailure::SudoPasswordWrong);
        }
        let sudo_failed = line(&self.out, &format!("{} sudo ", self.nonce)).is_some();
        let all_said = line(&self.err, &format!("{} sudo", self.nonce)).is_some();
        if sudo_failed && all_said && !self.asked {
            if !said.contains("is required") {
                // without a password there would be no other answer
                return Next::Fail(ConnectFailure::SudoRefused {
                    said: last_lines(&said),
                });
            }
            self.asked = true;
            return Next::SendPassword;
        }
        if ended || self.out.len() + self.err.len() > MOST_CHATTER {
            let said = last_lines(&said);
            let said = if said.is_empty() {
                "the shell ended without a word".into()
            } else {
                said
            };
            return Next::Fail(if self.asked || said.contains("sudo") {
                ConnectFailure::SudoRefused { said }
            } else {
                ConnectFailure::Other {
                    said: format!("could not start a shell: {said}"),
                }
            });
        }
        Next::Wait
    }

    fn ready(&self) -> Option<Ready> {
        let (words, early_out) = line(&self.out, &format!("{} ready ", self.nonce))?;
        let (_, early_err) = line(&self.err, &format!("{} ready", self.nonce))?;
        let mut words = words.split(' ');
        let way = Way::from_word(words.next()?)?;
        let process = Process {
            pid: words.next()?.parse().ok()?,
            start: words.next()?.into(),
        };
        let bash = words.next() == Some("bash");
        Some(Ready {
            way,
            process,
            bash,
            early: (early_out.to_vec(), early_err.to_vec()),
        })
    }

    /// How often sudo asked.
    fn prompts(&self) -> usize {
        memmem::find_iter(&self.err, format!("{} ask", self.nonce).as_bytes()).count()
    }

    /// What was said on standard error that is not part of the protocol.
    fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.err);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains(&self.nonce))
            .collect();
        // once the password is sent, what was said before it is settled
        let settled = if self.asked {
            lines
                .iter()
                .rposition(|line| line.contains("is required"))
                .map_or(0, |at| at + 1)
        } else {
            0
        };
        lines[settled..].join("\n")
    }
}

/// The rest of the complete line that follows `prefix`, and what comes after that line.
fn line<'a>(stream: &'a [u8], prefix: &str) -> Option<(String, &'a [u8])> {
    let at = memmem::find(stream, prefix.as_bytes())? + prefix.len();
    let end = at + memchr::memchr(b'\n', &stream[at..])?;
    Some((
        String::from_utf8_lossy(&stream[at..end]).trim().into(),
        &stream[end + 1..],
    ))
}

/// sudo asks again, or says so (plugins/sudoers: `badpass_message` may be configured, the count of
/// attempts may be one).
fn password_refused(said: &str, prompts: usize) -> bool {
    let texts = [
        "Sorry, try again",
        "incorrect password attempt",
        "incorrect authentication attempt",
    ];
    prompts > 1 || texts.iter().any(|text| said.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(out: &str, err: &str, asked: bool, ended: bool) -> Next {
        let mut opening = Opening::new("N1");
        opening.out = out.into();
        opening.err = err.into();
        opening.asked = asked;
        opening.next(ended)
    }

    #[test]
    fn ready_is_found_behind_what_login_scripts_print() {
        let next = heard(
            "Welcome!\nno newlineN1 ready sudo-free 4711 12345 bash\nearly",
            "motd\nN1 ready\nlate",
            false,
            false,
        );
        let Next::Ready(ready) = next else {
            panic!("{next:?}")
        };
        assert_eq!(ready.way, Way::SudoFree);
        assert_eq!(
            ready.process,
            Process {
                pid: 4711,
                start: "12345".into()
            }
        );
        assert!(ready.bash);
        assert_eq!(ready.early, (b"early".to_vec(), b"late".to_vec()));
        assert_eq!(heard("N1 ready plain 1 2 \n", "", false, false), Next::Wait);
    }

    #[test]
    fn the_password_is_sent_only_when_sudo_wants_one() {
        let wants = "sudo: a password is required\nN1 sudo\n";
        assert_eq!(
            heard("N1 sudo 1\n", wants, false, false),
            Next::SendPassword
        );
        assert_eq!(heard("N1 sudo 1\n", "", false, false), Next::Wait);
        let no_tty = "sudo: sorry, you must have a tty to run sudo\nN1 sudo\n";
        let refused = Next::Fail(ConnectFailure::SudoRefused {
            said: "sudo: sorry, you must have a tty to run sudo".into(),
        });
        assert_eq!(heard("N1 sudo 1\n", no_tty, false, false), refused);
        let missing = heard(
            "N1 sudo 127\n",
            "sh: 1: sudo: not found\nN1 sudo\n",
            false,
            false,
        );
        assert!(matches!(
            missing,
            Next::Fail(ConnectFailure::SudoRefused { .. })
        ));
    }

    #[test]
    fn a_wrong_password_and_a_user_who_may_not_are_told_apart() {
        let before = "sudo: a password is required\nN1 sudo\nN1 ask\n";
        let wrong = Next::Fail(ConnectFailure::SudoPasswordWrong);
        for after in [
            "Sorry, try again.\n",
            "N1 ask\n",
            "sudo: 1 incorrect password attempt\n",
        ] {
            assert_eq!(
                heard("N1 sudo 1\n", &format!("{before}{after}"), true, false),
                wrong
            );
        }
        assert_eq!(heard("N1 sudo 1\n", before, true, false), Next::Wait);
        let said = format!("{before}nosudo is not in the sudoers file.\n");
        assert_eq!(
            heard("N1 sudo 1\n", &said, true, true),
            Next::Fail(ConnectFailure::SudoRefused {
                said: "nosudo is not in the sudoers file.".into()
            })
        );
    }
}
