//! One look at a node, from top to bottom: the page to read first.

use std::collections::BTreeSet;
use std::path::Path;

use jettison_oci::escape;

use crate::error::{Error, Result};
use crate::history::file::{Loaded, Lock, StateDir};
use crate::history::{History, Seen};
use crate::inventory::{Image, Inventory, Pullable};
use crate::moment::Moment;
use crate::outside::{Outlook, used_after};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::reference::keep::KeepRules;
use crate::reference::{Outside, References};
use crate::runtime::Runtime;

/// A node, and what is wanted of it.
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where its images are.
    pub runtime: Box<dyn Runtime>,
    /// Who else may need them.
    pub outlook: Box<dyn Outlook>,
    /// The keep rules.
    pub keep: KeepRules,
    /// What may go.
    pub policy: Policy,
    /// Asks whether an image could be pulled again now, where that is wanted; the error says why
    /// not.
    pub verify: Option<Box<Verify>>,
}

/// Asks an image's registry for it.
pub type Verify = dyn Fn(&Image) -> Result<(), String> + Send + Sync;

/// Where a history comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It begins with this look.
    First,
    /// An earlier look left it.
    Continued,
    /// An earlier look left one that is of no use, or none although it was here: it begins again.
    Restarted(String),
}

/// Everything that one look found.
pub struct Look {
    /// What is there.
    pub inventory: Inventory,
    /// What was asked outside the runtime.
    pub outside: Outside,
    /// Who needs what.
    pub references: References,
    /// What is known of the time before, this look included.
    pub history: History,
    /// Where that comes from.
    pub origin: Origin,
    /// What this look found out about earlier runs.
    pub seen: Seen,
    /// What goes and what stays.
    pub plan: Plan,
    /// What was odd, for people.
    pub warnings: Vec<String>,
}

/// The history of a node, held while it is used.
pub struct Kept {
    state: Option<StateDir>,
    lock: Option<Lock>,
    is_known: bool,
}

impl Kept {
    /// Takes the history in `directory`. Where it cannot be taken, because another instance has it
    /// or it may not be written, a run that removes nothing goes on with what it can read (`None`
    /// in the directory's place), and says so.
    pub fn take(
        directory: &Path,
        runtime: &dyn Runtime,
        must_write: bool,
    ) -> Result<(Self, Option<String>)> {
        let taken = StateDir::open(directory, runtime.kind().name()).and_then(|state| {
            let is_known = state.is_known();
            state.lock().map(|lock| (state, lock, is_known))
        });
        match taken {
            Ok((state, lock, is_known)) => {
                Ok((Self { state: Some(state), lock: Some(lock), is_known }, None))
            }
            Err(error) if must_write => Err(error),
            Err(error) => {
                let state = StateDir::existing(directory, runtime.kind().name());
                let warning = format!("this look is not remembered: {error}");
                Ok((Self { state, lock: None, is_known: false }, Some(warning)))
            }
        }
    }

    /// Writes the history, where it may be written.
    pub fn save(&self, history: &History) -> Result<()> {
        match (&self.state, &self.lock) {
            (Some(state), Some(_)) => state.save(history),
            _ => Ok(()),
        }
    }

    fn load(
        &self,
        node: &Node,
        now: &Moment,
        warnings: &mut Vec<String>,
    ) -> Result<(History, Origin)> {
        let endpoint = node.runtime.endpoint();
        let begin = || History::begin(&node.name, &endpoint, now);
        let Some(state) = &self.state else { return Ok((begin(), Origin::First)) };
        let because = match state.load(&node.name, now.boot.as_deref(), &endpoint)? {
            Loaded::Continued(mut history) => {
                history.nodes.insert(node.name.clone());
                return Ok((*history, Origin::Continued));
            }
            Loaded::None if !self.is_known => return Ok((begin(), Origin::First)),
            Loaded::None => format!("{} is gone", state.path().display()),
            Loaded::Unusable(because) => {
                let path = state.path();
                let mut told = format!("{}: {because}", path.display());
                if self.lock.is_some() {
                    let aside = state.set_aside()?;
                    told = format!("{told}; it is kept as {}", aside.display());
                }
                told
            }
        };
        warnings.push(format!(
            "the history was lost and begins again: {because}. No image is old by `unused` until \
             it has been looked at for long enough"
        ));
        Ok((begin(), Origin::Restarted(because)))
    }
}

impl Node {
    /// Looks at the node: what is there, who needs it, since when, and what follows. Writes the
    /// history, and nothing else.
    pub fn look(&self, now: &Moment, kept: &Kept) -> Result<Look> {
        let mut inventory = self.runtime.inventory()?;
        let outside = self.outlook.read(&inventory.used)?;
        inventory.used = used_after(&outside, inventory.used, &*self.runtime)?;
        let references =
            References::gather(&inventory.images, &inventory.used, &outside, &self.keep)?;
        let mut warnings = std::mem::take(&mut inventory.warnings);
        let (mut history, origin) = kept.load(self, now, &mut warnings)?;
        let seen = history.observe(now, &inventory.images, &references);
        if seen.stepped {
            warnings.push(
                "the clock was set by more than a day, or backwards, since the last look: only \
                 time that was measured counts"
                    .to_owned(),
            );
        }
        for name in &seen.regretted {
            warnings.push(format!(
                "{} is back within a day of its removal: its age limit doubles",
                escape::line(name)
            ));
        }
        kept.save(&history)?;
        let plan = self.plan(&mut inventory, &references, &history, &self.policy);
        Ok(Look { inventory, outside, references, history, origin, seen, plan, warnings })
    }
}

impl Node {
    /// Decides over every image. Where that is wanted, what would go is asked for at its registry
    /// first, and what is not to be had again stays.
    pub fn plan(
        &self,
        inventory: &mut Inventory,
        references: &References,
        history: &History,
        policy: &Policy,
    ) -> Plan {
        let mut asked = BTreeSet::new();
        loop {
            let plan = Plan::make(inventory, references, history, policy);
            let Some(verify) = self.verify.as_ref().filter(|_| !policy.allow_unpullable) else {
                return plan;
            };
            // What stays by this may let others go, by the bounds of a run.
            let new: Vec<&Image> = plan
                .removals()
                .map(|row| &row.image)
                .filter(|one| !asked.contains(&one.id))
                .collect();
            if new.is_empty() {
                return plan;
            }
            for image in new {
                asked.insert(image.id.clone());
                let Err(because) = verify(image) else { continue };
                for one in inventory.images.iter_mut().filter(|one| one.id == image.id) {
                    one.pullable = Pullable::No(because.clone());
                }
            }
        }
    }
}

impl Look {
    /// The row of the image that `text` means. Fails where none is, or several are.
    pub fn find(&self, text: &str) -> Result<&crate::plan::Row> {
        use crate::reference::name::{ImageName, Names};
        let name = ImageName::parse(text).map_err(Error::Usage)?;
        let images: Vec<_> = self.plan.rows.iter().map(|row| row.image.clone()).collect();
        let found: Vec<usize> = Names::of(&images).find(&name).into_iter().collect();
        match found.as_slice() {
            [at] => Ok(&self.plan.rows[*at]),
            [] => Err(Error::Unreadable(format!("the node has no image {}", escape::line(text)))),
            several => {
                let ids: Vec<&str> = several.iter().map(|at| images[*at].id.short()).collect();
                Err(Error::Usage(format!(
                    "{} can mean several images: {}",
                    escape::line(text),
                    ids.join(", ")
                )))
            }
        }
    }
}
