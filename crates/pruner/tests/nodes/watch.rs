//! A node that is watched, by a clock that jumps from turn to turn.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jettison_pruner::Moment;
use jettison_pruner::metrics::Metrics;
use jettison_pruner::outside::Alone;
use jettison_pruner::policy::Policy;
use jettison_pruner::prune::{Kept, Node};
use jettison_pruner::reference::keep::KeepRules;
use jettison_pruner::runtime::Kind;
use jettison_pruner::schedule::Schedule;
use jettison_pruner::watch::{Clock, Event, Thresholds, Watch};
use jettison_testkit::grpc_proxy::{Fault, Proxy};
use jiff::{SignedDuration, Timestamp};

use crate::containerd::node;

/// A clock that moves when it is waited for, and ends the watch after some turns. What happens
/// before each turn is said by the test.
struct Jumping<'a> {
    now: RefCell<Moment>,
    turns: Cell<usize>,
    before: &'a dyn Fn(usize),
    stop: &'a AtomicBool,
    last: usize,
}

impl Clock for Jumping<'_> {
    fn now(&self) -> Moment {
        self.now.borrow().clone()
    }

    fn wait(&self, time: Duration, _: &AtomicBool) {
        let mut now = self.now.borrow_mut();
        now.wall += SignedDuration::try_from(time).unwrap();
        now.uptime += time;
        self.turns.set(self.turns.get() + 1);
        if self.turns.get() >= self.last {
            self.stop.store(true, Ordering::SeqCst);
        }
        (self.before)(self.turns.get());
    }
}

struct Watched {
    events: Vec<(String, String)>,
    metrics: String,
}

impl Watched {
    fn of(&self, event: &str) -> Vec<&str> {
        let these = self.events.iter().filter(|(name, _)| name == event);
        these.map(|(_, message)| message.as_str()).collect()
    }

    fn metric(&self, name: &str) -> f64 {
        let line = self.metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap()
    }
}

struct Plan<'a> {
    cron: Option<&'a str>,
    quiet: &'a [&'a str],
    thresholds: Option<Thresholds>,
    every: Duration,
    turns: usize,
    begin: &'a str,
}

fn watch(
    endpoint: &str,
    state: &std::path::Path,
    plan: &Plan<'_>,
    before: &dyn Fn(usize),
) -> Watched {
    let stop = AtomicBool::new(false);
    let begin: Timestamp = plan.begin.parse().unwrap();
    let clock = Jumping {
        now: RefCell::new(Moment {
            wall: begin,
            boot: Some("boot".to_owned()),
            // As far from the boot as from a day that all tests share.
            uptime: Duration::from_secs(u64::try_from(begin.as_second() - 1_900_000_000).unwrap()),
        }),
        turns: Cell::new(0),
        before,
        stop: &stop,
        last: plan.turns,
    };
    let metrics = Metrics::default();
    let events = RefCell::new(Vec::new());
    let quiet = plan.quiet.iter().map(|text| text.parse().unwrap()).collect();
    let connect = || {
        Ok(Node {
            name: "node".to_owned(),
            runtime: jettison_pruner::runtime::find(&jettison_pruner::runtime::Asked {
                kind: Some(Kind::Cri),
                endpoint: Some(endpoint.to_owned()),
                ..Default::default()
            })?,
            outlook: Box::new(Alone::default()),
            keep: KeepRules::new(&[], true)?,
            policy: Policy { allow_unpullable: true, ..Policy::default() },
            verify: None,
        })
    };
    let watch = Watch {
        connect: &connect,
        take: &|node| Kept::take(state, &*node.runtime, true).map(|(kept, _)| kept),
        schedule: Schedule::new(plan.cron, "UTC", Duration::ZERO, quiet, "node").unwrap(),
        thresholds: plan.thresholds,
        pressure_older_than: None,
        observe_every: plan.every,
        timeout: None,
        dry_run: false,
        clock: &clock,
        stop: &stop,
        metrics: &metrics,
        log: &|event: &Event<'_>| {
            let line = serde_json::to_value(event).unwrap();
            let name = line["event"].as_str().unwrap().to_owned();
            events.borrow_mut().push((name, line["message"].as_str().unwrap().to_owned()));
        },
        alive: &|| {},
    };
    watch.run().unwrap();
    Watched { events: events.into_inner(), metrics: metrics.render() }
}

const HOURS: Duration = Duration::from_hours(6);

#[test]
fn what_is_old_goes_when_it_is_due() {
    let Some((daemon, kubelet)) = node(&["app", "used"]) else { return };
    let pod = kubelet.run_pod("default", "web", "uid").unwrap();
    kubelet.create(&pod, "c", "docker.io/library/used:1").unwrap();
    let state = tempfile::tempdir().unwrap();
    let plan = Plan {
        cron: Some("0 3 * * *"),
        quiet: &[],
        thresholds: None,
        every: HOURS,
        // Eight days: a look at the beginning, then at every sixth hour from three on.
        turns: 8 * 4,
        begin: "2031-03-01T00:00:00Z",
    };
    let watched = watch(&daemon.endpoint(), state.path(), &plan, &|_| {});
    assert_eq!(watched.of("run").len(), 8, "{:?}", watched.events);
    let went: Vec<&str> =
        watched.of("image").into_iter().filter(|text| text.contains("removed")).collect();
    assert_eq!(went, ["docker.io/library/app:1: removed"]);
    // One line for each image that stays, with its reason.
    let kept = watched.of("image");
    assert!(kept.iter().any(|text| text.contains("keeps docker.io/library/used:1: container")));
    assert_eq!(watched.of("ended").len(), 1);
    assert!((watched.metric("jettison_prune_removed_total") - 1.0).abs() < 0.1);
    let predicted = watched.metric("jettison_prune_predicted_bytes_total");
    assert!((predicted - watched.metric("jettison_prune_reclaimed_bytes_total")).abs() < 0.1);
    assert!(predicted > 0.0);
    assert!(watched.metrics.contains("jettison_prune_kept{reason=\"container\"} 1"));
    assert!(watched.metric("jettison_prune_last_success_timestamp_seconds") > 1.9e9);
}

#[test]
fn quiet_windows_put_a_run_off_and_missed_runs_are_made_up_for() {
    let Some((daemon, _kubelet)) = node(&["app"]) else { return };
    let state = tempfile::tempdir().unwrap();
    let plan = |begin, turns| Plan {
        cron: Some("0 3 * * *"),
        quiet: &["02:00-07:00"],
        thresholds: None,
        every: Duration::from_hours(1),
        turns,
        begin,
    };
    let first = plan("2031-03-01T02:30:00Z", 8);
    let watched = watch(&daemon.endpoint(), state.path(), &first, &|_| {});
    assert!(watched.of("quiet").len() >= 3, "{:?}", watched.events);
    assert_eq!(watched.of("run").len(), 1);
    // Nobody watched for two days: the run is made up for at once, once.
    let second = plan("2031-03-03T20:00:00Z", 3);
    let watched = watch(&daemon.endpoint(), state.path(), &second, &|_| {});
    assert_eq!(watched.of("run").len(), 1, "{:?}", watched.events);
}

#[test]
fn pressure_removes_what_may_go_and_tells_when_that_is_too_little() {
    let Some((daemon, _kubelet)) = node(&["app"]) else { return };
    let state = tempfile::tempdir().unwrap();
    // Whatever this machine's disk holds, it is more than nothing, and stays so.
    let plan = Plan {
        cron: None,
        quiet: &[],
        thresholds: Some(Thresholds::new(1, 0).unwrap()),
        every: Duration::from_hours(48),
        turns: 6,
        begin: "2031-03-01T00:00:00Z",
    };
    let watched = watch(&daemon.endpoint(), state.path(), &plan, &|_| {});
    let went = watched.of("image").into_iter().filter(|text| text.contains("removed")).count();
    assert_eq!(went, 1, "{:?}", watched.events);
    assert!(watched.of("threshold-unmet").len() > 1);
    assert!((watched.metric("jettison_prune_threshold_unmet") - 1.0).abs() < 0.1);
    let ratio = watched.metric("jettison_prune_image_filesystem_used_ratio");
    assert!(ratio > 0.0 && ratio < 1.0);
    assert!(Thresholds::new(70, 80).is_err() && Thresholds::new(80, 80).is_err());
}

#[test]
fn a_runtime_that_goes_away_is_survived() {
    let Some((daemon, kubelet)) = node(&["app"]) else { return };
    drop(kubelet);
    let endpoint = daemon.endpoint();
    let daemon = RefCell::new(daemon);
    let state = tempfile::tempdir().unwrap();
    let plan = Plan {
        cron: None,
        quiet: &[],
        thresholds: None,
        every: HOURS,
        turns: 6,
        begin: "2031-03-01T00:00:00Z",
    };
    let watched = watch(&endpoint, state.path(), &plan, &|turn| match turn {
        2 => daemon.borrow_mut().stop(),
        4 => daemon.borrow_mut().start_again().unwrap(),
        _ => {}
    });
    assert_eq!(watched.of("refused").len(), 2, "{:?}", watched.events);
    // At first, and once it is back.
    assert_eq!(watched.of("connected").len(), 2);
    assert_eq!(watched.of("look").len(), 4);
    assert!((watched.metric("jettison_prune_refused_total") - 2.0).abs() < 0.1);
    // What was known before is known after: five turns of six hours.
    let age = watched.metric("jettison_prune_history_age_seconds");
    assert!((age - 5.0 * HOURS.as_secs_f64()).abs() < 1.0, "{age}");
}

#[test]
fn a_call_that_fails_is_a_turn_that_is_lost() {
    let Some((daemon, _kubelet)) = node(&["app"]) else { return };
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    let state = tempfile::tempdir().unwrap();
    let plan = Plan {
        cron: Some("0 * * * *"),
        quiet: &[],
        thresholds: None,
        every: Duration::from_hours(48),
        turns: 4,
        begin: "2031-03-01T00:00:00Z",
    };
    proxy.fault("ListContainers", 0, Fault::Status(14));
    let watched = watch(&proxy.endpoint(), state.path(), &plan, &|_| {});
    assert_eq!(watched.of("refused").len(), 4, "{:?}", watched.events);
    assert_eq!((watched.of("run").len(), proxy.count("RemoveImage")), (0, 0));
}
