//! Bases that cannot be had here, stood in for by ones made from the release's own packages.

use anyhow::Context as _;
use fs_err as fs;

use super::Args;
use crate::machine;
use jettison_testkit::engine::Dockerd;

/// Builds each Dockerfile of `bases` beside the recipes, and calls it what its first lines say that
/// it stands for: `# stands for NAME`.
pub(super) fn build(dockerd: &Dockerd, args: &Args) -> anyhow::Result<()> {
    let directory = args.recipes.join("bases");
    let mut files: Vec<_> = fs::read_dir(&directory)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        let text = fs::read_to_string(&path)?;
        let names: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# stands for ")).collect();
        let first = names.first().with_context(|| format!("{}: for what?", path.display()))?;
        if dockerd.docker(&["image", "inspect", first]).is_err() {
            eprintln!("prove: building what stands for {first}");
            let name = file.file_name().to_string_lossy().into_owned();
            machine::build(dockerd, &directory, &name, None, first)?;
        }
        for other in &names[1..] {
            dockerd.docker(&["tag", first, other])?;
        }
    }
    Ok(())
}
