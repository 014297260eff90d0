//! The floor under every reader of compressed layers: decompress them, in one thread, with the
//! library and the buffers that the analyzer uses, and look at nothing.

use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Decompresses every gzip and zstd member of `archive`.
pub(crate) fn run(archive: &Path) -> anyhow::Result<()> {
    let mut file = fs_err::File::open(archive)?;
    let mut blobs = Vec::new();
    for entry in tar::Archive::new(&mut file).entries_with_seek()? {
        let entry = entry?;
        blobs.push((entry.raw_file_position(), entry.size()));
    }
    for (start, size) in blobs {
        let mut head = [0; 4];
        if size < 4 {
            continue;
        }
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut head)?;
        file.seek(SeekFrom::Start(start))?;
        let blob = BufReader::with_capacity(128 << 10, (&mut file).take(size));
        match head {
            [0x1f, 0x8b, ..] => drain(MultiGzDecoder::new(blob))?,
            [0x28, 0xb5, 0x2f, 0xfd] => drain(zstd::stream::read::Decoder::with_buffer(blob)?)?,
            _ => {}
        }
    }
    Ok(())
}

fn drain(mut decoder: impl Read) -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while decoder.read(&mut buffer)? > 0 {}
    Ok(())
}
