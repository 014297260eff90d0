//! A node with 2,000 images: a look at all of them, and a plan.

use std::time::Duration;

use anyhow::ensure;
use jettison_testkit::containerd::{CRI_NAMESPACE, Daemon};
use jettison_testkit::cri::Kubelet;
use jettison_testkit::image::{Image, ImageBuilder, LayerBuilder};

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::table::{Bar, Figure, Table};

/// How many images the node has.
const IMAGES: usize = 2000;
/// How many of them are imported at once.
const BATCH: usize = 250;
/// Images that share their lower layers.
const FAMILIES: usize = 40;
/// What a look may take, in seconds, and the memory that it may need, in MiB.
const LOOK: f64 = 1.0;
const MEMORY: f64 = 100.0;

pub(crate) fn measure(programs: &Programs, runs: usize, table: &mut Table) -> anyhow::Result<()> {
    let daemon = Daemon::start()?;
    for first in (0..IMAGES).step_by(BATCH) {
        daemon.import(CRI_NAMESPACE, (first..first + BATCH).map(image))?;
    }
    let kubelet = Kubelet::connect(&daemon.socket())?;
    for _ in 0..600 {
        if kubelet.images()?.len() > IMAGES {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let found = kubelet.images()?.len();
    ensure!(found > IMAGES, "the CRI plugin knows {found} images only");
    let room = tempfile::tempdir()?;
    let look = {
        let mut command = programs.jettison_in(room.path());
        command.args(["prune", "--quiet", "--dry-run", "--runtime", "cri", "--endpoint"]);
        command.arg(daemon.endpoint()).arg("--state-dir").arg(room.path());
        command
    };
    let [cost] = interleaved([look], runs)?;
    Table::group("a node with 2,000 images, containerd", "");
    table.row("look and plan: wall", Figure::Wall, None, cost, Bar::Seconds(LOOK));
    table.row("look and plan: memory", Figure::Memory, None, cost, Bar::Mebibytes(MEMORY));
    Ok(())
}

/// A small image of three layers, two of which its family shares.
fn image(number: usize) -> Image {
    let family = number % FAMILIES;
    let layer = |name: String| LayerBuilder::new().file(name.clone(), name.into_bytes());
    ImageBuilder::new()
        .platform(jettison_oci::Platform::host())
        .layer(layer(format!("base-{family}")), "COPY base /")
        .layer(layer(format!("runtime-{family}")), "COPY runtime /")
        .layer(layer(format!("app-{number}")), "COPY app /")
        .cmd(&["/app"])
        .tag(&format!("registry.example/family-{family}/app:{number}"))
        .build()
}
