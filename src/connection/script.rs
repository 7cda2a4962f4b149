//! The shell texts that are sent to a host. All run with `sh` = bash (EL9) and `sh` = dash.

use super::Become;

/// How commands become privileged on one host, learnt when its first shell is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The login user is the wanted user.
    Plain,
    /// sudo asks for nothing.
    SudoFree,
    /// sudo wants the password.
    SudoPassword,
}

impl Way {
    const ALL: [Self; 3] = [Self::Plain, Self::SudoFree, Self::SudoPassword];

    fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::SudoFree => "sudo-free",
            Self::SudoPassword => "sudo-password",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }
}

/// Quotes for a POSIX shell.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Sets `$start` to the start time (field 22 of /proc/PID/stat, in clock ticks since boot) of
/// process `$1`, which with the pid names a process beyond doubt. Fails for a zombie.
/// proc_pid_stat(5): the command name in field 2 may hold anything, so count from its last `)`.
const START_TIME: &str = r#"start_of() { { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1; line=${line##*) }; set -- $line; start=${20}; [ "$1" != Z ] && [ "$1" != X ]; }"#;

/// Ends the process `$1` (started at `$2`) and all its descendants, the process first, so that it
/// can run nothing more. Says `dead` or `alive`.
const KILL_TREE: &str = r#"tree() { for child in $(cat /proc/$1/task/*/children 2>/dev/null); do tree "$child"; done; echo "$1"; }
same() { start_of "$1" && [ "$start" = "$2" ]; }
kill_tree() {
  same "$1" "$2" && { kill -STOP "$1"; family=$(tree "$1"); kill -KILL "$1" $family; } 2>/dev/null
  tries=40; while same "$1" "$2"; do tries=$((tries - 1)); [ $tries -gt 0 ] || { echo alive; return; }; sleep 0.05; done
  echo dead
}"#;

/// The command line for a privileged process that says on stdout `NONCE ready WAY PID START [bash]`
/// and on stderr `NONCE ready`, then runs `body`, a POSIX shell text.
///
/// With no `way` known, it finds out: sudo without a password is tried at once, in the same round
/// trip. Only when that fails it says `NONCE sudo STATUS` and waits for a line `go`; only then
/// sudo may read a password, so a wrong one can never make sudo eat anything else.
pub(super) fn open(nonce: &str, privilege: &Become, way: Option<Way>, body: &str) -> String {
    let inner = |way: Way| {
        let ready = format!(
            "{START_TIME}\nstart_of $$; printf '%s ready %s %s %s %s\\n' {nonce} {} $$ \"$start\" \"${{BASH_VERSION:+bash}}\"; echo {nonce} ready >&2\n{body}",
            way.word()
        );
        format!("sh -c {}", quote(&ready))
    };
    let user = quote(privilege.user());
    let plain = format!("exec {}", inner(Way::Plain));
    let free = format!("sudo -n -u {user} -- {}", inner(Way::SudoFree));
    // `-k`: a cached credential would leave the password unread, and the body would read it
    let with_password = format!(
        "exec sudo -k -S -p '{nonce} ask\n' -u {user} -- {}",
        inner(Way::SudoPassword)
    );
    let whole = match way {
        Some(Way::Plain) => plain,
        Some(Way::SudoFree) => format!("exec {free}"),
        Some(Way::SudoPassword) => with_password,
        None if !privilege.enabled => plain,
        None => {
            let wanted = match privilege.user() {
                "root" => "0".into(),
                _ => format!("$(id -u {user} 2>/dev/null)"),
            };
            // sudo's own failures are status 1 (127: there is no sudo); others are the body's
            format!(
                "[ \"${{EUID:-$(id -u)}}\" = \"{wanted}\" ] && {plain}\n{free}\nstatus=$?\n\
                 case $status in 1|127) ;; *) exit $status;; esac\n\
                 echo {nonce} sudo $status; echo {nonce} sudo >&2\n\
                 IFS= read -r go && [ \"$go\" = go ] || exit 1\n{with_password}"
            )
        }
    };
    // sudo's messages are classified by their English text; the login shell may not be POSIX
    format!(
        "exec sh -c {}",
        quote(&format!(
            "LC_ALL=C; export LC_ALL; unset ENV BASH_ENV\n{whole}"
        ))
    )
}

/// The body of the step shell: read requests from standard input.
pub(super) const STEP_SHELL: &str = "exec sh";

/// Sent to the step shell before anything else.
///
/// `__run NUMBER GENERATION SCRIPT [STDIN]`: generation 0 always runs; another one does nothing
/// once a request of the same generation has failed, or SIGUSR1 has come. A script runs by `eval` in a subshell, which
/// contains its syntax errors, `exit` and `cd`, and costs one fork (0.4 ms, against 0.9 ms for
/// `sh -c`, measured with bash). No stream of the request is the shell's own input.
pub(super) fn prelude(nonce: &str) -> String {
    format!(
        r#"LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOSTNAME=${{HOSTNAME:-$(uname -n)}}
export LC_ALL PATH HOSTNAME; unset LANG LANGUAGE ENV BASH_ENV CDPATH OLDPWD; umask 022; cd /
trap __stop=1 USR1
__run() {{
  __n=$1 __g=$2 __x=$3
  if [ "$__g" != 0 ] && {{ [ "$__g" = "$__bad" ] || [ -n "$__stop" ]; }}; then __s=skipped
  elif [ $# -gt 3 ]; then
    __i=$4; set --
    printf %s "$__i" | base64 -d | ( unset __i; eval "$__x" ); __s=$?; unset __i
  else
    set --
    ( eval "$__x" ) </dev/null; __s=$?
  fi
  case $__s in 0|skipped) ;; *) [ "$__g" = 0 ] || __bad=$__g;; esac
  printf '{nonce} %s %s\n' "$__n" "$__s"
  printf '{nonce} %s\n' "$__n" >&2
}}
"#
    )
}

/// The body that ends a step shell which hangs; says `dead` or `alive`.
pub(super) fn kill_shell(pid: u32, start: &str) -> String {
    format!("{KILL_TREE}\nkill_tree {pid} {start}")
}

/// The body that makes a step shell do nothing more for fail-stop requests; says `told`.
pub(super) fn stop_shell(pid: u32, start: &str) -> String {
    format!("{KILL_TREE}\nsame {pid} {start} && kill -USR1 {pid} && echo told")
}

/// The body that writes its input to a new file and says `stored` when all `size` bytes are on
/// disk. `umask` first and `chmod` last: nobody else sees a half-written file. `set -C` refuses
/// a file (or a link) that somebody put there in between.
pub(super) fn upload(path: &str, mode: u32, size: usize) -> String {
    let path = quote(path);
    format!(
        "umask 077; f={path}; rm -f -- \"$f\" && set -C && cat >\"$f\" || exit\n\
         [ \"$(wc -c <\"$f\")\" -eq {size} ] || {{ echo 'the content arrived incomplete' >&2; rm -f -- \"$f\"; exit 1; }}\n\
         chmod {mode:o} -- \"$f\" && sync -- \"$f\" && echo stored"
    )
}

/// The body of a lock's holder, which needs bash for `read -t`.
///
/// It says `held` and the holder's text when somebody else has the lock, `locked` when it has it.
/// Then it reads lines `beat PID START`, naming the step shell, each within `late` seconds of the
/// one before. `release` ends it; lateness or the end of its input kills the step shell, so that
/// no step begins without the lock. A step that is running then is not killed half way: the lock
/// is kept for it up to `late` seconds more, and only then it is ended and the lock falls.
///
/// The lock's descriptor is open in this process and its short-lived children only, never in the
/// step shell, so nothing that a step starts can inherit it.
pub(super) fn hold_lock(path: &str, holder_text: &str, late: f64) -> String {
    let path = quote(path);
    let holder_text = quote(holder_text);
    let holder = format!(
        r#"{START_TIME}
{KILL_TREE}
lock={path}
exec 9<>"$lock" || exit
if ! flock -n 9; then echo held; cat -- "$lock"; exit 0; fi
printf '%s\n' {holder_text} >"$lock"
echo locked
pid= began=
while read -r -t {late} word new_pid new_start; do
  case $word in
    beat) pid=$new_pid began=$new_start;;
    release) : >"$lock"; exit 0;;
  esac
done
if [ -n "$pid" ] && same "$pid" "$began"; then
  kill -STOP "$pid"
  family=$(for child in $(cat /proc/$pid/task/*/children 2>/dev/null); do tree "$child"; done)
  kill -KILL "$pid"
  SECONDS=0
  while kill -0 $family 2>/dev/null && [ $SECONDS -lt {patience} ]; do sleep 0.2; done
  kill -TERM $family 2>/dev/null
fi
: >"$lock"
"#,
        // bash counts whole seconds of the clock, so the first one may be short
        patience = late.ceil() + 1.0
    );
    format!("exec bash -c {}", quote(&holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_survives_a_shell() {
        let nasty = "a'b \"$HOME\" `id` \\ \n''";
        let out = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {}", quote(nasty))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), nasty);
    }

    #[test]
    fn every_script_parses_in_every_shell_at_hand() {
        let privilege = Become {
            enabled: true,
            user: Some("o'brien".into()),
            password: None,
        };
        let scripts = [
            open("NONCE", &privilege, None, STEP_SHELL),
            open(
                "NONCE",
                &privilege,
                Some(Way::SudoPassword),
                &kill_shell(1, "2"),
            ),
            open(
                "NONCE",
                &Become::default(),
                None,
                &upload("/tmp/it's", 0o640, 3),
            ),
            prelude("NONCE"),
            kill_shell(1, "2"),
            upload("/x", 0o600, 1),
            hold_lock("/run/x", "me, 'you'", 30.0),
        ];
        for shell in ["sh", "bash"] {
            for script in &scripts {
                let status = std::process::Command::new(shell)
                    .args(["-n", "-c", script])
                    .status()
                    .unwrap();
                assert!(status.success(), "{shell}: {script}");
            }
        }
    }
}
