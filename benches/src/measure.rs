//! What a program costs: wall time, processor time and memory, over several runs.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::Serialize;
use wait4::Wait4 as _;

/// What one program took: once, or the means of its runs; memory the worst. Means, because dive reads
/// the layers of an OCI archive in an order that it picks at random, and takes twice as long in some
/// orders as in others: its best, and its median, tell of one order.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cost {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of all its threads, in the program and in the kernel for it.
    pub(crate) cpu: f64,
    /// The wall time of its fastest run.
    pub(crate) fastest: f64,
    /// The wall time of its slowest run.
    pub(crate) slowest: f64,
    /// The most bytes that it held at once.
    pub(crate) memory: u64,
    /// Whether it was ended because it took too long: then `wall` is a lower bound.
    pub(crate) cut_short: bool,
}

impl Cost {
    /// What several runs took; `None` of none.
    pub(crate) fn of(runs: &[Self]) -> Option<Self> {
        Some(Self {
            wall: mean(runs, |run| run.wall)?,
            cpu: mean(runs, |run| run.cpu)?,
            fastest: runs.iter().map(|run| run.fastest).fold(f64::INFINITY, f64::min),
            slowest: runs.iter().map(|run| run.slowest).fold(0.0, f64::max),
            memory: runs.iter().map(|run| run.memory).max()?,
            cut_short: runs.iter().all(|run| run.cut_short),
        })
    }
}

fn mean(runs: &[Cost], figure: impl Fn(&Cost) -> f64) -> Option<f64> {
    let count = u32::try_from(runs.len()).ok().filter(|count| *count > 0)?;
    Some(runs.iter().map(figure).sum::<f64>() / f64::from(count))
}

/// What `timeout` ends with when the time is up.
const TIME_IS_UP: i32 = 124;

/// Runs `command` once, its output thrown away.
pub(crate) fn once(command: &mut Command) -> anyhow::Result<Cost> {
    let errors = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stderr(errors.reopen()?);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("starting {}", line(command)))?;
    let ended = child.wait4()?;
    let wall = start.elapsed().as_secs_f64();
    let cut_short = ended.status.code() == Some(TIME_IS_UP);
    if !ended.status.success() && !cut_short {
        let errors = fs_err::read(errors.path())?;
        bail!("{}: {}\n{}", line(command), ended.status, String::from_utf8_lossy(&errors));
    }
    let used = ended.rusage;
    let cpu = (used.utime + used.stime).as_secs_f64();
    Ok(Cost { wall, cpu, fastest: wall, slowest: wall, memory: used.maxrss, cut_short })
}

/// Runs every command in turn, `runs` times over, so that what else the machine does meets all of
/// them alike. A first round is not counted: it brings the files into memory.
pub(crate) fn interleaved<const N: usize>(
    mut commands: [Command; N],
    runs: usize,
) -> anyhow::Result<[Cost; N]> {
    let mut costs = [const { Vec::new() }; N];
    for round in 0..=runs {
        for (command, costs) in commands.iter_mut().zip(&mut costs) {
            let cost = once(command.stdout(Stdio::null()))?;
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    let costs: Vec<Cost> = costs.iter().filter_map(|runs| Cost::of(runs)).collect();
    costs.try_into().map_err(|_| anyhow::anyhow!("no run was asked for"))
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}
