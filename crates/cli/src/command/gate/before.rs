//! What images are compared with.

use std::path::{Path, PathBuf};

use jettison_analyzer::gate::baseline::BASELINE_MAX;
use jettison_analyzer::gate::{Against, Baseline};

use crate::command::Context;
use crate::exit::UsageError;
use crate::settings;

/// The file where nobody names one.
pub(in crate::command) const DEFAULT: &str = "jettison-baseline.json";

/// A baseline that was named.
pub(in crate::command) struct Named {
    /// Its file.
    pub(in crate::command) path: PathBuf,
    /// What stands in it; `None` where it is not there.
    pub(in crate::command) baseline: Option<Baseline>,
}

/// The baseline's file: the flag's, or the configuration's, which stands beside it.
pub(in crate::command) fn path(flag: Option<&Path>, context: &Context) -> Option<PathBuf> {
    flag.map(Path::to_owned).or_else(|| {
        let own = context.config.gate.baseline.as_ref()?;
        let above = context.config_path.as_ref().and_then(|path| path.parent());
        let path = above.map_or_else(|| own.clone(), |above| above.join(own));
        // As it would be typed here.
        Some(path.strip_prefix(settings::here()).map_or_else(|_| path.clone(), Path::to_owned))
    })
}

impl Named {
    /// Reads the file at a path.
    pub(in crate::command) fn read(path: PathBuf) -> anyhow::Result<Self> {
        let failed = |error: &dyn std::fmt::Display| {
            UsageError(format!("baseline {}: {error}", path.display()))
        };
        let baseline = match fs_err::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&error).into()),
            Ok(found) if found.len() > BASELINE_MAX => {
                let size = jettison_oci::Bytes(found.len());
                return Err(failed(&format!("it has {size}, which no baseline has")).into());
            }
            Ok(_) => {
                let bytes = fs_err::read(&path).map_err(|error| failed(&error))?;
                Some(Baseline::parse(&bytes).map_err(|error| failed(&error))?)
            }
        };
        Ok(Self { path, baseline })
    }

    /// The entry of an image on a platform, and how that is said. A baseline that knows the image on
    /// other platforms only is an error: another platform's size is no measure.
    pub(super) fn find(
        &self,
        image: &str,
        platform: &str,
    ) -> anyhow::Result<(Option<&jettison_analyzer::gate::Snapshot>, Against)> {
        let place = self.path.display().to_string();
        let Some(baseline) = &self.baseline else { return Ok((None, Against::Missing(place))) };
        if let Some(found) = baseline.find(image, platform) {
            return Ok((Some(found), Against::Baseline(place)));
        }
        let others = baseline.platforms(image);
        if others.is_empty() {
            return Ok((None, Against::Missing(place)));
        }
        let error = format!(
            "baseline {place}: it has {image} on {}, and not on {platform}: `jettison baseline \
             update` adds it, or choose with --platform",
            others.join(", ")
        );
        Err(UsageError(error).into())
    }
}
