//! `jettison prune --watch`: looks at a node again and again, so that its history is true, and
//! removes when it is due.

mod event;

pub use event::{Event, Level};

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::execute::{Executed, Means, Outcome, execute};
use crate::inventory::Capacity;
use crate::metrics::Metrics;
use crate::moment::Moment;
use crate::plan::Row;
use crate::policy::Bounds;
use crate::prune::{Kept, Look, Node};
use crate::schedule::Schedule;

/// No less between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// The machine's clocks, and waiting by them.
pub trait Clock {
    /// What they show.
    fn now(&self) -> Moment;

    /// Waits, until `stop` is set at the latest.
    fn wait(&self, time: Duration, stop: &AtomicBool);
}

/// The shares of the image file system between which images go, in percent of it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    high: u8,
    low: u8,
}

impl Thresholds {
    /// From `high` on images go, until it is `low`.
    pub fn new(high: u8, low: u8) -> Result<Self> {
        if low >= high || high > 100 {
            return Err(Error::Usage(format!(
                "--low-threshold {low} is not below --high-threshold {high}"
            )));
        }
        Ok(Self { high, low })
    }

    /// From which on, and until which.
    pub const fn percent(self) -> (u8, u8) {
        (self.high, self.low)
    }

    fn is_reached(self, capacity: Option<Capacity>) -> bool {
        capacity.is_some_and(|capacity| capacity.used_percent() >= self.high)
    }

    fn is_met(self, capacity: Option<Capacity>) -> bool {
        capacity.is_some_and(|capacity| capacity.used_percent() <= self.low)
    }
}

/// How a node is watched.
pub struct Watch<'a> {
    /// Connects to the node: at first, and again after its runtime went away.
    pub connect: &'a dyn Fn() -> Result<Node>,
    /// Takes the history; given back after each look, so that others may come between.
    pub take: &'a dyn Fn(&Node) -> Result<Kept>,
    /// When runs are due.
    pub schedule: Schedule,
    /// From which share on images go, whatever the schedule says.
    pub thresholds: Option<Thresholds>,
    /// The age from which on images may go then; that of the policy where there is none.
    pub pressure_older_than: Option<Duration>,
    /// How long between two looks.
    pub observe_every: Duration,
    /// How long a run may begin removals.
    pub timeout: Option<Duration>,
    /// Nothing is removed, only said.
    pub dry_run: bool,
    /// The clocks.
    pub clock: &'a dyn Clock,
    /// Set when it is to end.
    pub stop: &'a AtomicBool,
    /// What Prometheus is told.
    pub metrics: &'a Metrics,
    /// Hears of everything that happens.
    pub log: &'a dyn Fn(&Event<'_>),
    /// Hears of each turn, for those who ask whether it is alive.
    pub alive: &'a dyn Fn(),
}

/// Why a run is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Schedule,
    Pressure,
}

impl Watch<'_> {
    /// Watches until it is asked to end. Fails at its start where an argument is wrong, which no
    /// other try would mend.
    pub fn run(&self) -> Result<()> {
        let mut node: Option<Node> = None;
        let mut was_connected = false;
        let mut next = None;
        while !self.stop.load(Ordering::SeqCst) {
            (self.alive)();
            let turn = self.turn(&mut node, &mut next);
            was_connected |= node.is_some();
            if let Err(error) = turn {
                if error.is_usage() && !was_connected {
                    return Err(error);
                }
                self.metrics.was_refused();
                (self.log)(&Event::refused(&error));
                // What is connected may be what went away.
                node = None;
            }
            self.clock.wait(self.pause(next), self.stop);
        }
        (self.log)(&Event::ended());
        Ok(())
    }

    /// How long until there is something to do.
    fn pause(&self, next: Option<Timestamp>) -> Duration {
        let until = next.map(|next| next.duration_since(self.clock.now().wall));
        let until = until.and_then(|until| Duration::try_from(until).ok()).unwrap_or(Duration::MAX);
        // A run that is due and waits for something is looked after like all else.
        let until = if until.is_zero() { Duration::MAX } else { until };
        self.observe_every.min(until).max(PAUSE_MIN)
    }

    /// One look, and a run where it is due.
    fn turn(&self, node: &mut Option<Node>, next: &mut Option<Timestamp>) -> Result<()> {
        let connected = if let Some(connected) = node.take() {
            connected
        } else {
            let connected = (self.connect)()?;
            (self.log)(&Event::connected(&connected));
            connected
        };
        let node = node.insert(connected);
        let kept = (self.take)(node)?;
        let mut look = node.look(&self.clock.now(), &kept)?;
        self.metrics.looked(&look);
        (self.log)(&Event::looked(node, &look));
        for warning in &look.warnings {
            (self.log)(&Event::warning(warning));
        }
        let now = self.clock.now().wall;
        // Runs that were missed while nobody watched are made up for, once.
        let due_at = *next.get_or_insert_with(|| {
            let last = look.history.last_run.unwrap_or(now);
            self.schedule.next(last).unwrap_or(Timestamp::MAX)
        });
        let is_pressed = self.thresholds.is_some_and(|one| one.is_reached(look.inventory.capacity));
        if !is_pressed {
            self.metrics.threshold(false);
        }
        let due = match (now >= due_at, is_pressed) {
            (_, true) => Due::Pressure,
            (true, false) => Due::Schedule,
            (false, false) => return Ok(()),
        };
        if self.schedule.is_quiet(now) {
            (self.log)(&Event::quiet());
            return Ok(());
        }
        let executed = self.prune(node, &mut look, &kept, due);
        if now >= due_at && !executed.has_lost_sight() {
            look.history.last_run = Some(now);
            kept.save(&look.history)?;
            *next = self.schedule.next(now).or(Some(Timestamp::MAX));
        }
        Ok(())
    }

    fn prune(&self, node: &Node, look: &mut Look, kept: &Kept, due: Due) -> Executed {
        let mut policy = node.policy.clone();
        if let (Due::Pressure, Some(thresholds)) = (due, self.thresholds) {
            policy.bounds = Bounds { until_free: Some(100 - thresholds.low), ..policy.bounds };
            policy.older_than = self.pressure_older_than.unwrap_or(policy.older_than);
            look.plan = node.plan(&mut look.inventory, &look.references, &look.history, &policy);
        }
        (self.log)(&Event::begun(due == Due::Pressure, &look.plan));
        for row in look.plan.kept() {
            (self.log)(&Event::kept(row));
        }
        if self.dry_run {
            for row in look.plan.removals() {
                (self.log)(&Event::would_remove(row));
            }
            return Executed::default();
        }
        let begun = self.clock.now();
        let is_over = || {
            let passed = self.clock.now().since(&begun).time;
            self.timeout.is_some_and(|timeout| passed >= timeout)
        };
        let mut predicted = 0;
        let mut told = |row: &Row, outcome: &Outcome| {
            if *outcome == Outcome::Removed {
                predicted += row.reclaimable.bytes();
            }
            (self.log)(&Event::outcome(row, outcome));
        };
        let stop = AtomicBool::new(false);
        let is_asked = || is_over() || self.stop.load(Ordering::SeqCst);
        let means = Means {
            runtime: &*node.runtime,
            outlook: &*node.outlook,
            outside: &look.outside,
            keep: &node.keep,
            policy: &policy,
            storage: &look.inventory.storage,
            stop: &stop,
            is_over: &is_asked,
            save: &|history| kept.save(history),
            warn: &|text| (self.log)(&Event::warning(text)),
        };
        let executed = execute(&look.plan, &mut look.history, &means, &mut told);
        self.metrics.ran(&executed, predicted, self.clock.now().wall);
        (self.log)(&Event::done(&executed, predicted));
        if due == Due::Pressure {
            let is_met = self.thresholds.is_none_or(|one| one.is_met(node.runtime.capacity()));
            self.metrics.threshold(!is_met);
            if !is_met {
                (self.log)(&Event::unmet(node.runtime.capacity()));
            }
        }
        executed
    }
}
