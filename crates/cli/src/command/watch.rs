//! `jettison prune --watch`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jettison_pruner::metrics::{Metrics, Server};
use jettison_pruner::prune::{Kept, Node};
use jettison_pruner::schedule::{QuietWindow, Schedule};
use jettison_pruner::watch::{Clock, Event, Watch};
use jettison_pruner::{Error, Moment};

use crate::args::PruneArgs;
use crate::command::Context;
use crate::command::node::{bounds, name, node, state_dir, thresholds};
use crate::exit::{Code, UsageError};
use crate::{clock, interrupt};

/// Where metrics are served if nobody says: only this machine reads them there.
const METRICS: &str = "127.0.0.1:9640";
/// How long between two looks.
const OBSERVE_EVERY: Duration = Duration::from_mins(5);
/// How much longer than between two looks a turn may take: runs have many removals.
const TURN_MAX: Duration = Duration::from_hours(1);
/// How often a wait looks whether it is to end.
const NAP: Duration = Duration::from_millis(100);

struct System;

impl Clock for System {
    fn now(&self) -> Moment {
        clock::now()
    }

    fn wait(&self, time: Duration, stop: &AtomicBool) {
        let begun = Instant::now();
        while begun.elapsed() < time && !stop.load(Ordering::SeqCst) {
            std::thread::sleep(NAP.min(time.saturating_sub(begun.elapsed())));
        }
    }
}

pub(crate) fn run(args: &PruneArgs, context: &Context) -> anyhow::Result<Code> {
    let (flags, config, printer) = (&args.watch, &context.config.prune, context.printer);
    let name = name(&args.node, context);
    let windows = config.quiet_windows.iter().chain(&flags.quiet_window);
    let windows = windows.map(|text| text.parse::<QuietWindow>().map_err(UsageError));
    let schedule = Schedule::new(
        flags.schedule.as_deref().or(config.schedule.as_deref()),
        flags.time_zone.as_deref().or(config.time_zone.as_deref()).unwrap_or("UTC"),
        flags.jitter.or(config.jitter).unwrap_or_default(),
        windows.collect::<Result<_, _>>()?,
        &name,
    )?;
    let thresholds = thresholds(args, context)?;
    let observe_every = flags.observe_every.or(config.observe_every).unwrap_or(OBSERVE_EVERY);
    let metrics = Arc::new(Metrics::default());
    let pulse = Arc::new(Pulse::new(observe_every + TURN_MAX));
    let server = serve(args, context, &metrics, &pulse)?;
    if let Some(server) = &server {
        printer.note(&format!("metrics at http://{}/metrics", server.address()));
    }
    let directory = state_dir(&args.node, context);
    let watch = Watch {
        connect: &|| connect(args, context),
        take: &|node: &Node| Kept::take(&directory, &*node.runtime, true).map(|(kept, _)| kept),
        schedule,
        thresholds,
        pressure_older_than: flags.pressure_older_than.or(config.pressure_older_than),
        observe_every,
        timeout: args.timeout.or(config.timeout),
        dry_run: args.dry_run,
        clock: &System,
        stop: interrupt::gently(),
        metrics: &metrics,
        log: &|event: &Event<'_>| printer.event(event),
        alive: &|| pulse.beat(),
    };
    watch.run()?;
    Ok(Code::Done)
}

/// The node as the arguments say. What is wrong with those ends the watch at its start; what is
/// wrong with the node is tried again.
fn connect(args: &PruneArgs, context: &Context) -> Result<Node, Error> {
    node(&args.node, bounds(args, context), context).map_err(|error| {
        error.downcast().unwrap_or_else(|error| Error::Refused(format!("{error:#}")))
    })
}

fn serve(
    args: &PruneArgs,
    context: &Context,
    metrics: &Arc<Metrics>,
    pulse: &Arc<Pulse>,
) -> anyhow::Result<Option<Server>> {
    let config = context.config.prune.metrics_address.as_deref();
    let address = args.watch.metrics_address.as_deref().or(config).unwrap_or(METRICS);
    if address == "off" {
        return Ok(None);
    }
    let address: SocketAddr = address.parse().map_err(|_| {
        UsageError(format!(
            "--metrics-address {address:?}: expected an IP address with a port, such as \
             {METRICS} or [::]:9640, or off"
        ))
    })?;
    let pulse = Arc::clone(pulse);
    let health = Arc::new(move || pulse.check());
    Ok(Some(Server::start(address, Arc::clone(metrics), health)?))
}

/// When the watch last took its turn.
struct Pulse {
    begun: Instant,
    last: AtomicU64,
    within: Duration,
}

impl Pulse {
    fn new(within: Duration) -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0), within }
    }

    fn beat(&self) {
        self.last.store(self.begun.elapsed().as_secs(), Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), String> {
        let now = self.begun.elapsed().as_secs();
        let silent = Duration::from_secs(now.saturating_sub(self.last.load(Ordering::SeqCst)));
        if silent <= self.within {
            return Ok(());
        }
        Err(format!("no turn since {}", jettison_pruner::report::span(silent)))
    }
}
