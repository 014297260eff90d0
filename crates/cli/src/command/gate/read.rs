//! Images as the gate reads them.

use jettison_analyzer::account::Account;
use jettison_analyzer::advice::file::{GivenFile, ReadFile};
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::facts::package::Packages;
use jettison_analyzer::finding::{Findings, Ignore};
use jettison_analyzer::gate::asked::{Asked, Wanted};
use jettison_analyzer::gate::files::Side;
use jettison_analyzer::gate::gated::BuiltBy;
use jettison_analyzer::gate::{Snapshot, name};
use jettison_analyzer::{Error, analyze};
use jettison_oci::Platform;

use crate::args::{GateImageArgs, ReadArgs};
use crate::command::{Context, account, given};
use crate::exit::UsageError;
use crate::settings;

/// Reads images for the gate.
pub(in crate::command) struct Reader<'a> {
    of: &'a GateImageArgs,
    read: &'a ReadArgs,
    context: &'a Context,
    ignores: Vec<Ignore>,
    /// The Dockerfile that the images are built by.
    file: Option<GivenFile>,
    /// All that is asked of any image.
    pub(in crate::command) asked: Asked,
}

/// An image on one platform, read.
pub(in crate::command) struct Read<'a> {
    reader: &'a Reader<'a>,
    name: String,
    account: Account,
    known: Known,
    findings: Option<Findings>,
    asked: Asked,
    wanted: Wanted,
}

/// What is known of its files.
enum Known {
    /// Whose they are.
    Packages(Packages),
    /// And what leads to them.
    Facts(Box<Facts>),
}

impl<'a> Reader<'a> {
    pub(in crate::command) fn new(
        of: &'a GateImageArgs,
        read: &'a ReadArgs,
        context: &'a Context,
    ) -> anyhow::Result<Self> {
        let file = context.config_path.as_ref().map_or("jettison.toml".into(), |path| {
            path.file_name().unwrap_or_default().to_string_lossy().into_owned()
        });
        let asked = context.config.gate.asked(&file).map_err(UsageError)?;
        let file = of.dockerfile.as_deref().map(|path| given(path, of.target.clone()));
        Ok(Self {
            of,
            read,
            context,
            ignores: settings::ignores(context)?,
            file: file.transpose()?,
            asked,
        })
    }

    /// The platforms to look at; `None` stands for the one that is chosen otherwise.
    pub(in crate::command) fn platforms(
        &self,
        word: &str,
    ) -> anyhow::Result<Vec<Option<Platform>>> {
        let (_, image) = name::split(word);
        let list = match self.of.platforms.as_slice() {
            [] => return Ok(vec![None]),
            _ if image == "-" => {
                let error = "--platforms: an archive on standard input passes by only once";
                return Err(UsageError(error.to_owned()).into());
            }
            [all] if all == "all" => {
                let options = settings::open_options(self.read, &self.context.config.analyze);
                analyze::platforms(image, &options)?
            }
            list => list
                .iter()
                .map(|text| text.parse::<Platform>())
                .collect::<Result<_, _>>()
                .map_err(|error| UsageError(format!("--platforms: {error}")))?,
        };
        if list.is_empty() {
            return Err(UsageError(format!("{image} names no platform")).into());
        }
        Ok(list.into_iter().map(Some).collect())
    }

    /// Reads an image, and all that is asked of it.
    pub(in crate::command) fn read(
        &'a self,
        word: &str,
        platform: Option<&Platform>,
    ) -> anyhow::Result<Read<'a>> {
        let (given_name, image) = name::split(word);
        let account = self.account(image, platform)?;
        let origin = &account.image.origin;
        let kept = given_name.map_or_else(|| name::kept(origin), str::to_owned);
        let names = name::all(image, &kept, origin);
        let asked = self.asked.of(&names, &account.image.config.platform.to_string());
        let wanted = asked.wanted();
        let files = Filesystem::new(&account);
        let (known, findings) = if wanted.findings || wanted.unused {
            let facts = Facts::of(&files, None, settings::jobs(self.read))?;
            let findings = wanted.findings.then(|| Findings::of(&files, &facts, &self.ignores));
            (Known::Facts(Box::new(facts)), findings)
        } else {
            (Known::Packages(Packages::read(&files)?), None)
        };
        Ok(Read { reader: self, name: kept, account, known, findings, asked, wanted })
    }

    /// Reads an image that another is compared with; `None` where there is none. `like` is asked of
    /// both.
    pub(super) fn other(&'a self, word: &str, like: &Read<'_>) -> anyhow::Result<Option<Read<'a>>> {
        let platform = &like.account.image.config.platform;
        let account = match self.account(word, Some(platform)) {
            Ok(account) => account,
            Err(error) => {
                let absent = error.downcast_ref::<Error>().is_some_and(Error::is_absent);
                if !absent {
                    return Err(error);
                }
                self.context.printer.warning(&format!("--against {word}: {error}"));
                return Ok(None);
            }
        };
        let files = Filesystem::new(&account);
        let known = if like.wanted.unused {
            Known::Facts(Box::new(Facts::of(&files, None, settings::jobs(self.read))?))
        } else {
            Known::Packages(Packages::read(&files)?)
        };
        Ok(Some(Read {
            reader: self,
            name: like.name.clone(),
            account,
            known,
            findings: None,
            asked: Asked::default(),
            wanted: like.wanted.clone(),
        }))
    }

    fn account(&self, image: &str, platform: Option<&Platform>) -> anyhow::Result<Account> {
        let read = ReadArgs {
            platform: platform.cloned().or_else(|| self.read.platform.clone()),
            ..self.read.clone()
        };
        let base = self.of.base.as_deref().or(self.context.config.gate.base.as_deref());
        account(image, base, &read, true, self.context)
    }
}

impl Read<'_> {
    pub(in crate::command) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::command) fn asked(&self) -> &Asked {
        &self.asked
    }

    pub(super) const fn account(&self) -> &Account {
        &self.account
    }

    pub(super) const fn findings(&self) -> Option<&Findings> {
        self.findings.as_ref()
    }

    const fn packages(&self) -> &Packages {
        match &self.known {
            Known::Packages(packages) => packages,
            Known::Facts(facts) => &facts.packages,
        }
    }

    /// The image and its packages.
    pub(super) const fn side(&self) -> Side<'_> {
        Side { account: &self.account, packages: self.packages() }
    }

    /// Its figures.
    pub(in crate::command) fn snapshot(&self) -> Snapshot {
        let unused = match &self.known {
            Known::Facts(facts) if self.wanted.unused => Some(&facts.unused),
            _ => None,
        };
        let directories = &self.wanted.directories;
        let snapshot =
            Snapshot::of(&self.name, &self.account, self.packages(), unused, directories);
        Snapshot { commit: self.reader.of.commit.clone(), ..snapshot }
    }

    /// The lines of the Dockerfile that made its layers.
    pub(super) fn built_by(&self) -> anyhow::Result<Option<BuiltBy>> {
        let Some(given) = &self.reader.file else { return Ok(None) };
        let file = ReadFile::of(&self.account, given)
            .map_err(|error| UsageError(format!("--dockerfile: {error}")))?;
        if let Some(warning) = file.warning() {
            self.reader.context.printer.warning(&warning);
        }
        let lines = (0..self.account.layers.len()).map(|layer| file.lines(layer)).collect();
        Ok(Some(BuiltBy { file: given.path.clone(), lines }))
    }
}
