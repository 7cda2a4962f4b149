#!/bin/bash
# Puts one deliberate fault after the other into the swarm's table, and shows that the tests catch each.
# With words, only the faults whose name has them: `seed-faults.sh ghost`.
# Changes the working tree while it runs, and puts it back; refuses to start on uncommitted changes there.
set -u
cd "$(dirname "$0")/../.." || exit 1
src=src/cluster/swarm
git diff --quiet HEAD -- $src || { echo "commit your changes of $src first" >&2; exit 1; }
trap 'git checkout -q -- $src' EXIT

missed=0
# fault NAME FILE PERL-SUBSTITUTION
only=$*
fault() {
  [[ $1 == *"$only"* ]] || return
  perl -0pi -e "$3" "$src/$2"
  if git diff --quiet -- $src; then
    echo "STALE   $1: the substitution changes nothing"; missed=1; return
  fi
  if out=$(RUST_BACKTRACE=0 cargo test -q --test sim --test cluster_cases --no-fail-fast 2>&1); then
    echo "MISSED  $1"; missed=1
  elif grep -q '^error\(\[\|: could not compile\)' <<<"$out"; then
    echo "STALE   $1: does not compile"; missed=1
  else
    echo "caught  $1: $(grep -oE '^test [a-z_]+ \.\.\. FAILED|^    [a-z_]+$' <<<"$out" | sed 's/^test //; s/ \.\.\. FAILED//; s/^ *//' | sort -u | paste -sd' ')"
  fi
  git checkout -q -- $src
}

fault 'founds though a host is silent' found.rs \
  's/if swarm\.members\.iter\(\)\.any\(silent\)/if swarm.members.iter().all(silent)/'
fault 'takes a stopped engine with a trace for blank' state.rs \
  's/if !trace\.is_empty\(\) \{/if false {/'
fault 'joins before the ghost is forgotten' steps/mod.rs \
  's/    plan\.clear_ghosts\(&rows\);\n(.*?)(    plan\.demote\(&rows\);)/$1    plan.clear_ghosts(&rows);\n$2/s'
fault 'forgets before it demotes' steps/ghosts.rs \
  's/if ghost\.votes\(\) && !self/if false \&\& !self/'
fault 'takes a node that is not yet down for lost' steps/ghosts.rs \
  's/step\.via\(via\)\.need\(down\)\.done\(worker\)/step.via(via).done(worker)/; s/\.need\(down\)\n//'
fault 'adds managers without a margin' quorum.rs \
  's/self\.managers <= 1 \|\| self\.answering\(\) >= majority\(self\.managers \+ 1\)/true/'
fault 'counts a silent host as answering' quorum.rs \
  's/\(self\.sure \+ self\.unsure\)\.min\(.*?\)\)\)/self.sure + self.unsure/'
fault 'demotes a live manager at any price' quorum.rs \
  's/self\.managers > 1\n\s*&& \(self\.answering\(\) == .*?\n/true\n/'
fault 'takes off a lost manager at any price' quorum.rs \
  's/self\.managers > 1 && self\.answering\(\) >= majority\(self\.managers - 1\)/true/'
fault 'joins again what is pending' table.rs \
  's/Here::Pending\(place\) => \{/Here::Pending(_) if true => Row::New { assumed: None },\n        Here::Pending(place) => {/'
fault 'plans for a silent host' table.rs \
  's/Here::Silent\(_\) => Row::Silent/Here::Silent(_) => Row::New { assumed: None }/'
fault 'does not notice a foreign swarm' view.rs \
  's/&& trace\.ca_sha256 != self\.ca/\&\& false/'
fault 'leaves a swarm that still lists it' table.rs \
  's/Some\(node\) => Row::Member \{\n\s*node,\n\s*coming: view\.not_seen_yet\(member, node\),\n\s*\},/Some(node) => match view.not_seen_yet(member, node) {\n                Some(_) => Row::Stale,\n                None => Row::Member { node, coming: None },\n            },/'
fault 'goes by the first host instead of any manager' table.rs \
  's/speakers\.first\(\)\.copied\(\)/speakers.first().copied().filter(|first| first.host == swarm.members[0].host)/'
fault 'takes two swarms for one' refuse/whole.rs \
  's/if clusters\.len\(\) > 1/if clusters.len() > 2/'
fault 'forgets the labels of a host that joins' drift.rs \
  's/Row::New \{ \.\. \} \| Row::Stale \| Row::Returning\(_\) => \{.*?\n        \}/Row::New { .. } | Row::Stale | Row::Returning(_) => None,/s'
fault 'gives a return another class than a first join' steps/join.rs \
  's/(            self\.push\(member, step\);\n        \}\n    \}\n\}\n)/            if !self.view.ghosts(member, row).is_empty() {\n                step.class = Class::Repair;\n            }\n$1/'
fault 'takes the entry of a host that is joining for its ghost' view.rs \
  's/own\.id != node\.id && node\.state != "ready"/self.observed(member).here.place().is_some_and(|place| place.node_id != node.id) \&\& node.state != "ready"/'
fault 'does not ask for the quorum just before a join' steps/join.rs \
  's/if managers \{\n\s*step = step\.need\(self\.roster\(Expect::CanAddManager\)\);\n\s*\}/let step = step;/; s/let mut step = join\(member/let step = join(member/'
exit $missed
