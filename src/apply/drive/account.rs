//! What a step that was tried leaves behind.

use super::{Drive, STALE};
use crate::apply::Fleet;
use crate::apply::perform::{Ended, Tried};
use crate::report::Event;

impl<'e, 'a: 'e, F: Fleet> Drive<'e, 'a, F> {
    pub(super) fn account(&mut self, tried: Tried) {
        let Tried {
            index,
            step,
            on,
            ended,
        } = tried;
        let (host, id) = (step.subject.clone(), step.id.clone());
        if !matches!(ended, Ended::Skipped | Ended::Stale(_)) {
            let key = (id.to_string(), host.clone());
            *self.performed.entry(key).or_default() += 1;
        }
        if !matches!(ended, Ended::Skipped) {
            self.engine.forget(&on, &step.act.writes());
        }
        match ended {
            Ended::Done => {
                if step.every_time {
                    self.engine.finish_once(index, &step);
                }
                // That it is done was told when it was.
                self.drove.changed.push((id.to_string(), host, step.class));
            }
            // It will be planned again, if it is still needed and the host goes on.
            Ended::Skipped => {}
            Ended::Stale(claim) => {
                let times = self
                    .stale
                    .entry((id.to_string(), host.clone()))
                    .or_default();
                *times += 1;
                if *times > STALE {
                    self.drove.failed = true;
                    let why = format!(
                        "{id} did not begin {STALE} times, each time because its evidence no longer held, last: {claim}"
                    );
                    self.stop_host(&host, why);
                    return;
                }
                let gone = self
                    .engine
                    .memory
                    .forget(&claim.host, |query, _| *query == claim.query);
                self.engine.refresh(&gone);
                let text = format!(
                    "{host}: {id} did not begin, because this no longer holds: {claim}; looking again"
                );
                self.report.emit(&Event::Note { text });
            }
            Ended::Failed(said) => {
                self.drove.failed = true;
                let shows = step.act.show();
                self.report.emit(&Event::StepFailed {
                    host: host.clone(),
                    id: id.clone(),
                    shows,
                    said,
                });
                if self.engine.works[index].cluster {
                    self.stop_layer(
                        self.engine.works[index].layer,
                        format!("{id} failed for {host}"),
                    );
                } else {
                    self.stop_host(&host, format!("{id} failed"));
                }
            }
            Ended::Lost(lost, why) => {
                self.note_unreachable(&lost);
                if self.engine.fleet.unreachable(&lost).is_none() {
                    self.drove.failed = true;
                    let shows = step.act.show();
                    let said = format!(
                        "{why}\nit may have been done or not; the next run looks and goes on from there"
                    );
                    self.report.emit(&Event::StepFailed {
                        host: host.clone(),
                        id,
                        shows,
                        said,
                    });
                    self.stop_host(&lost, why);
                }
            }
        }
    }
}
