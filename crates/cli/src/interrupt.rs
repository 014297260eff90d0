//! Ctrl-C, Ctrl-\, SIGTERM and SIGHUP end the run at once and leave nothing half written behind.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use tempfile::NamedTempFile;

/// Files that exist only while the run lasts.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What shells report for a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Whether a command wants to end by itself when it is interrupted, and whether it was.
static GENTLE: AtomicBool = AtomicBool::new(false);
static ENDING: AtomicBool = AtomicBool::new(false);

/// From now on, the first signal only sets what is returned; the second ends the run at once.
#[cfg_attr(
    not(any(feature = "engine", feature = "prune")),
    expect(dead_code, reason = "only what works on other things than files ends gently")
)]
pub(crate) fn gently() -> &'static AtomicBool {
    GENTLE.store(true, Ordering::SeqCst);
    &ENDING
}

/// Makes a file that must not outlive an interrupted run. A signal either comes before it is made
/// or finds it remembered.
pub(crate) fn temporary(
    make: impl FnOnce() -> io::Result<NamedTempFile>,
) -> io::Result<NamedTempFile> {
    let mut remembered = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    let file = make()?;
    remembered.push(file.path().to_owned());
    Ok(file)
}

/// Handles the signals from now on.
pub(crate) fn install() {
    // A file that grows past the limit of the shell (`ulimit -f`) is then an error of its write,
    // as a full disk is, rather than the end of the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    // Fails only where no descriptor is left; then signals do what they always do.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT]) else { return };
    let wait = move || {
        for _ in signals.forever() {
            interrupted();
        }
    };
    let _ = std::thread::Builder::new().name("signals".into()).spawn(wait);
}

fn interrupted() {
    if GENTLE.load(Ordering::SeqCst) && !ENDING.swap(true, Ordering::SeqCst) {
        return;
    }
    // Held until the end: no file is put in place while the run is being taken down.
    let temporary = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    for path in temporary.iter() {
        let _ = fs_err::remove_file(path);
    }
    if let Some(root) = crate::settings::cache_root() {
        jettison_analyzer::layer::cache::abandon(&root);
    }
    eprint_interrupted();
    #[expect(clippy::exit, reason = "the signal ends the process; threads may be anywhere")]
    std::process::exit(INTERRUPTED);
}

fn eprint_interrupted() {
    use std::io::Write as _;
    // The progress may stand on the line.
    let _ = std::io::stderr().write_all(b"\njettison: interrupted\n");
}
