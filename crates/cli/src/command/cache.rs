//! `jettison cache`.

use jettison_analyzer::layer::cache::Cache;
use jettison_oci::Bytes;

use crate::args::{CacheArgs, CacheCommand};
use crate::exit::{Code, UsageError};
use crate::printer::Printer;
use crate::settings;

pub(crate) fn run(args: &CacheArgs) -> anyhow::Result<Code> {
    let Some(root) = settings::cache_root() else {
        let error = "there is no cache: neither XDG_CACHE_HOME nor HOME is set";
        return Err(UsageError(error.to_owned()).into());
    };
    let cache = Cache::new(root, Bytes(u64::MAX));
    let text = match args.command {
        CacheCommand::Path => format!("{}\n", cache.directory().display()),
        CacheCommand::Clear => {
            let cleared = cache.clear()?;
            format!("removed {} layer indexes, {}\n", cleared.entries, cleared.bytes)
        }
    };
    Printer::result(text.as_bytes())?;
    Ok(Code::Done)
}
