//! What a program costs: wall time, processor time and memory, the best of several runs.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::Serialize;
use wait4::Wait4 as _;

/// What one program took, each figure the best of its runs; memory the worst.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cost {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of all its threads, in the program and in the kernel for it.
    pub(crate) cpu: f64,
    /// The most bytes that it held at once.
    pub(crate) memory: u64,
    /// Whether it was ended because it took too long: then `wall` is a lower bound.
    pub(crate) cut_short: bool,
}

impl Cost {
    pub(crate) fn best(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
            memory: self.memory.max(other.memory),
            cut_short: self.cut_short && other.cut_short,
        }
    }
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
    Ok(Cost { wall, cpu, memory: used.maxrss, cut_short })
}

/// Runs every command in turn, `runs` times over, so that what else the machine does meets all of
/// them alike; the best of each.
pub(crate) fn interleaved<const N: usize>(
    mut commands: [Command; N],
    runs: usize,
) -> anyhow::Result<[Cost; N]> {
    let mut best: [Option<Cost>; N] = [None; N];
    for _ in 0..runs {
        for (command, best) in commands.iter_mut().zip(&mut best) {
            let cost = once(command.stdout(Stdio::null()))?;
            *best = Some(best.map_or(cost, |known| known.best(cost)));
        }
    }
    let costs: Vec<Cost> = best.into_iter().flatten().collect();
    costs.try_into().map_err(|_| anyhow::anyhow!("no run was asked for"))
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}
