//! What it costs a workload to be watched: the same container under `docker run` and under
//! `jettison profile`.

use std::process::Command;

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::real::Real;
use crate::table::{Bar, Figure, Table};

/// A program that starts and imports much.
const IMPORTS: &str = "import numpy, xml.dom.minidom, json, csv, asyncio, unittest\n\
    for n in range(200): numpy.linalg.svd(numpy.ones((200, 200)))\n";
/// Every file of /usr/lib, read from its beginning to its end.
const READS: &str = "import os\n\
    for at, _, names in os.walk('/usr/lib'):\n\
    \x20 for name in names:\n\
    \x20   path = os.path.join(at, name)\n\
    \x20   if os.path.isfile(path): open(path, 'rb').read()\n";
/// Nothing but opening the same files over and over.
const OPENS: &str = "import os\n\
    names = ['/usr/bin/' + name for name in os.listdir('/usr/bin')]\n\
    names = [name for name in names if os.path.isfile(name)]\n\
    for n in range(600):\n\
    \x20 for name in names: os.close(os.open(name, os.O_RDONLY))\n";
/// Nothing but starting programs.
const STARTS: &str = "import subprocess\n\
    for n in range(1500): subprocess.run(['/bin/true'])\n";

pub(crate) fn measure(
    programs: &Programs,
    real: &Real,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let Some((host, image)) = real.engine() else {
        eprintln!("benches: no engine holds this archive's image: profiling is left out");
        return Ok(());
    };
    Table::group("profile", "docker run");
    for (what, script) in
        [("imports", IMPORTS), ("reads", READS), ("opens", OPENS), ("starts", STARTS)]
    {
        let mut alone = Command::new("docker");
        alone.args(["run", "--rm", "--network", "none", image, "python3", "-c", script]);
        let mut watched = programs.profile(image);
        watched.args(["--network", "none", "--", "python3", "-c", script]);
        for command in [&mut alone, &mut watched] {
            command.env("DOCKER_HOST", host).env_remove("DOCKER_CONTEXT");
        }
        let [alone, watched] = interleaved([alone, watched], runs)?;
        let what = format!("{what}: wall");
        table.row(&what, Figure::Wall, Some(alone), watched, Bar::TimesMore(1.3));
    }
    Ok(())
}
