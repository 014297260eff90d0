//! The floor under every reader of compressed layers: decompress them, on as many threads as the
//! analyzer has, with the library and the buffers that it uses, and look at nothing.

use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::anyhow;
use flate2::bufread::MultiGzDecoder;

/// Decompresses every gzip and zstd member of `archive`, the largest first.
pub(crate) fn run(archive: &Path) -> anyhow::Result<()> {
    let mut file = fs_err::File::open(archive)?;
    let mut blobs = Vec::new();
    for entry in tar::Archive::new(&mut file).entries_with_seek()? {
        let entry = entry?;
        blobs.push((entry.size(), entry.raw_file_position()));
    }
    blobs.sort_unstable_by_key(|(size, _)| std::cmp::Reverse(*size));
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<()> {
        let mut file = fs_err::File::open(archive)?;
        while let Some((size, start)) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            blob(&mut file, *start, *size)?;
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

fn blob(file: &mut fs_err::File, start: u64, size: u64) -> anyhow::Result<()> {
    let mut head = [0; 4];
    if size < 4 {
        return Ok(());
    }
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::Start(start))?;
    let blob = BufReader::with_capacity(128 << 10, file.take(size));
    match head {
        [0x1f, 0x8b, ..] => drain(MultiGzDecoder::new(blob)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => drain(zstd::stream::read::Decoder::with_buffer(blob)?),
        _ => Ok(()),
    }
}

fn drain(mut decoder: impl Read) -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while decoder.read(&mut buffer)? > 0 {}
    Ok(())
}
