//! A node as its operator has it: a runtime, a policy, a history, and a clock that moves when it is
//! told to.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jettison_pruner::execute::{Executed, Means, Outcome, execute};
use jettison_pruner::outside::{Alone, Outlook};
use jettison_pruner::prune::{Kept, Look, Node};
use jettison_pruner::reference::keep::KeepRules;
use jettison_pruner::runtime::{Asked, Kind, Runtime, find};
use jettison_pruner::{Moment, Plan, Policy, Result};
use jiff::{SignedDuration, Timestamp};

pub(crate) struct Desk {
    pub(crate) node: Node,
    pub(crate) state: tempfile::TempDir,
    pub(crate) now: Moment,
}

pub(crate) fn runtime(kind: Kind, endpoint: &str) -> Box<dyn Runtime> {
    let asked = Asked { kind: Some(kind), endpoint: Some(endpoint.to_owned()), ..Asked::default() };
    find(&asked).unwrap()
}

impl Desk {
    pub(crate) fn new(kind: Kind, endpoint: &str) -> Self {
        Self::with(runtime(kind, endpoint))
    }

    pub(crate) fn with(runtime: Box<dyn Runtime>) -> Self {
        // Images of tests are made here, and no registry has them.
        let policy = Policy { allow_unpullable: true, ..Policy::default() };
        let keep = KeepRules::new(&[], true).unwrap();
        Self {
            node: Node {
                name: "node".to_owned(),
                runtime,
                outlook: Box::new(Alone::default()),
                keep,
                policy,
                verify: None,
            },
            state: tempfile::tempdir().unwrap(),
            // The tests' images come before the first look, as the clock has it.
            now: Moment {
                wall: Timestamp::now() + SignedDuration::from_secs(5),
                boot: Some("boot".to_owned()),
                uptime: Duration::from_secs(1000),
            },
        }
    }

    pub(crate) fn outlook(mut self, outlook: impl Outlook + 'static) -> Self {
        self.node.outlook = Box::new(outlook);
        self
    }

    pub(crate) fn keep(mut self, patterns: &[&str]) -> Self {
        let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
        self.node.keep = KeepRules::new(&patterns, true).unwrap();
        self
    }

    pub(crate) fn pass(&mut self, days: u64) {
        let time = Duration::from_hours(24 * days);
        self.now.wall += SignedDuration::try_from(time).unwrap();
        self.now.uptime += time;
    }

    pub(crate) fn kept(&self) -> Kept {
        Kept::take(self.state.path(), &*self.node.runtime, true).unwrap().0
    }

    pub(crate) fn try_look(&self) -> Result<Look> {
        self.node.look(&self.now, &self.kept())
    }

    pub(crate) fn look(&self) -> Look {
        self.try_look().unwrap()
    }

    /// Two looks, a month apart: everything that nothing needs is old.
    pub(crate) fn look_for_a_month(&mut self) -> Look {
        self.look();
        self.pass(30);
        self.look()
    }

    pub(crate) fn execute(&self, look: &mut Look) -> Executed {
        let stop = AtomicBool::new(false);
        self.execute_until(look, &stop, &|| false)
    }

    pub(crate) fn execute_until(
        &self,
        look: &mut Look,
        stop: &AtomicBool,
        is_over: &dyn Fn() -> bool,
    ) -> Executed {
        self.execute_with(look, stop, is_over, &mut |_| {})
    }

    /// Removes all that may go, and tells of each.
    pub(crate) fn execute_telling(
        &self,
        look: &mut Look,
        told: &mut dyn FnMut(&Outcome),
    ) -> Executed {
        self.execute_with(look, &AtomicBool::new(false), &|| false, told)
    }

    fn execute_with(
        &self,
        look: &mut Look,
        stop: &AtomicBool,
        is_over: &dyn Fn() -> bool,
        told: &mut dyn FnMut(&Outcome),
    ) -> Executed {
        let kept = self.kept();
        let means = Means {
            runtime: &*self.node.runtime,
            outlook: &*self.node.outlook,
            outside: &look.outside,
            keep: &self.node.keep,
            policy: &self.node.policy,
            storage: &look.inventory.storage,
            stop,
            is_over,
            save: &|history| kept.save(history),
            warn: &|text| panic!("{text}"),
        };
        execute(&look.plan, &mut look.history, &means, &mut |_, outcome| told(outcome))
    }

    /// Looks, and removes all that may go.
    pub(crate) fn prune(&self) -> (Look, Executed) {
        let mut look = self.look();
        let executed = self.execute(&mut look);
        (look, executed)
    }

    pub(crate) fn history(&self) -> std::path::PathBuf {
        let kind = self.node.runtime.kind().name();
        self.state.path().join(format!("{kind}.history.json"))
    }
}

/// The names of what goes, in order, without registry and tag.
pub(crate) fn removed(plan: &Plan) -> Vec<String> {
    plan.removals().map(|row| plain(row.image.name())).collect()
}

/// Why an image stays or goes.
pub(crate) fn reason(plan: &Plan, name: &str) -> &'static str {
    let row = plan.rows.iter().find(|row| row.image.names().any(|text| plain(text) == name));
    row.unwrap_or_else(|| panic!("{name} is not in the plan")).reason.code()
}

fn plain(name: &str) -> String {
    let name = name.strip_prefix("docker.io/library/").unwrap_or(name);
    let name = name.strip_prefix("localhost/").unwrap_or(name);
    let last = name.rfind('/').map_or(0, |at| at + 1);
    let end = name[last..].find(':').map_or(name.len(), |at| last + at);
    name[..end].to_owned()
}

pub(crate) fn all_removed(executed: &Executed) -> bool {
    executed.outcomes.iter().all(|outcome| *outcome == Outcome::Removed)
}

/// The bytes of a directory's regular files, as the disk has them.
pub(crate) fn disk_usage(path: &Path) -> u64 {
    let output = std::process::Command::new("du").args(["-s", "-B1"]).arg(path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
}
