//! The real image in archives: as `docker save` writes it, and with its layers compressed.

use std::path::{Path, PathBuf};
use std::process::Command;

use jettison_testkit::process::run;

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::table::{Bar, Figure, Table};

/// What the analyzer may hold of the real image, in MiB.
pub(crate) const MEMORY: f64 = 128.0;

/// One image in three archives.
pub(crate) struct Archives {
    pub(crate) docker: PathBuf,
    pub(crate) gzip: PathBuf,
    pub(crate) zstd: PathBuf,
}

/// Makes the compressed archives of `docker` in `directory`, if they are not newer than it.
pub(crate) fn convert(docker: &Path, directory: &Path) -> anyhow::Result<Archives> {
    fs_err::create_dir_all(directory)?;
    let saved = fs_err::metadata(docker)?.modified()?;
    let converted = |compression: &str| -> anyhow::Result<PathBuf> {
        let archive = directory.join(format!("{compression}.tar"));
        let made = fs_err::metadata(&archive).and_then(|found| found.modified());
        if !made.is_ok_and(|made| made >= saved) {
            eprintln!("benches: compressing the image with {compression}");
            let part = directory.join(format!("{compression}.part"));
            let _ = fs_err::remove_file(&part);
            run(Command::new("skopeo")
                .args(["copy", "--quiet", "--insecure-policy", "--dest-compress-format"])
                .arg(compression)
                .arg(format!("docker-archive:{}", docker.display()))
                .arg(format!("oci-archive:{}:bench", part.display())))?;
            fs_err::rename(&part, &archive)?;
        }
        Ok(archive)
    };
    Ok(Archives { docker: docker.to_owned(), gzip: converted("gzip")?, zstd: converted("zstd")? })
}

/// dive and jettison on each archive.
pub(crate) fn measure(
    programs: &Programs,
    archives: &Archives,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let dive = |archive: &Path| programs.dive("docker-archive", &archive.to_string_lossy());
    let image = format!("docker-archive:{}", archives.docker.display());
    let [theirs, ours] = interleaved([dive(&archives.docker), programs.jettison(&image)], runs)?;
    Table::group("docker-archive", "dive");
    table.row("docker-archive: wall", Figure::Wall, Some(theirs), ours, Bar::TimesLess(20.0));
    table.row("docker-archive: CPU", Figure::Cpu, Some(theirs), ours, Bar::Nothing);
    table.row("docker-archive: memory", Figure::Memory, Some(theirs), ours, Bar::Mebibytes(MEMORY));
    for (name, archive) in [("gzip", &archives.gzip), ("zstd", &archives.zstd)] {
        let image = format!("oci-archive:{}", archive.display());
        let [theirs, ours, floor] = interleaved(
            [dive(archive), programs.jettison(&image), programs.decompress(archive)],
            runs,
        )?;
        let what = |figure: &str| format!("{name} oci-archive: {figure}");
        Table::group(&what("").replace(": ", ""), "dive");
        table.row(&what("wall"), Figure::Wall, Some(theirs), ours, Bar::TimesLess(4.0));
        table.row(&what("memory"), Figure::Memory, Some(theirs), ours, Bar::Mebibytes(MEMORY));
        Table::group("", "inflate only");
        table.row(&what("CPU"), Figure::Cpu, Some(floor), ours, Bar::TimesMore(1.6));
    }
    Ok(())
}
