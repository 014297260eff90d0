//! Writes the demonstration image: files of this machine's Debian packages, the usual sins in its
//! layers.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use jettison_testkit::demo;
use jettison_testkit::image::{ImageFiles, Wrap};

/// Write the demonstration image, made from this machine's own Debian packages
#[derive(Parser)]
struct Arguments {
    /// Where to write it: a file, or a directory for `oci`
    output: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The transports that the image can be read by.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// What `docker save` writes
    #[default]
    DockerArchive,
    /// An OCI layout in a tar archive
    OciArchive,
    /// An OCI layout directory
    Oci,
}

fn main() -> anyhow::Result<()> {
    let Arguments { output, format } = Arguments::parse();
    let image = demo::image()?;
    match format {
        Format::DockerArchive => {
            ImageFiles::docker_archive(&[image]).write_archive(&output, Wrap::None)
        }
        Format::OciArchive => {
            ImageFiles::oci_layout([image.gzipped()]).write_archive(&output, Wrap::None)
        }
        Format::Oci => ImageFiles::oci_layout([image.gzipped()]).write_directory(&output),
    }
}
