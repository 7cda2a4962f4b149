//! Acts on `GlusterFS`. `--mode=script` answers every question with yes; what may be done was decided before.

use super::Phase;
use crate::plan::GlusterAct;
use crate::probe::shell::join;

/// The words of the gluster command.
pub(super) fn words(act: &GlusterAct) -> Vec<String> {
    let mut words: Vec<String> = vec!["gluster".into(), "--mode=script".into()];
    let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
    match act {
        GlusterAct::Probe { host } => add(&["peer", "probe", host]),
        GlusterAct::Create {
            volume,
            replica,
            arbiter,
            bricks,
            force,
        } => {
            add(&["volume", "create", volume, "replica", &replica.to_string()]);
            if *arbiter {
                add(&["arbiter", "1"]);
            }
            for brick in bricks {
                add(&[brick]);
            }
            if *force {
                add(&["force"]);
            }
        }
        GlusterAct::Start { volume, force } => {
            add(&["volume", "start", volume]);
            if *force {
                add(&["force"]);
            }
        }
        GlusterAct::Set { volume, key, value } => add(&["volume", "set", volume, key, value]),
    }
    words
}

/// Another command may hold the pool's lock for a moment; one that holds it for two minutes is stuck. What
/// was done is for the postcondition to say: several of these end with 0 and have done nothing.
pub(super) fn phase(act: &GlusterAct) -> Phase {
    let line = join(&words(act));
    Phase::run(
        format!(
            "waited=0\nwhile :; do\n\
             said=$(timeout -k 5 150 {line} 2>&1 </dev/null); status=$?\n\
             case $said in *'nother transaction is in progress'*|*'ocking failed'*) ;; *) break ;; esac\n\
             [ $waited -lt 120 ] || {{ echo \"gave up after $waited s: another command holds the lock of the pool\" >&2; break; }}\n\
             sleep 5; waited=$((waited + 5))\ndone\n\
             [ $status -eq 0 ] || {{ printf '%s\\n' \"$said\" >&2; exit $status; }}"
        ),
        600,
    )
}
