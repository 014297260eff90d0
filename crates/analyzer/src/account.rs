//! The account: every payload byte of every layer is live, or wasted by exactly one cause.

pub mod base;
pub mod dive;
pub mod duplicates;
pub mod equal_contents;
pub(crate) mod looked;
pub mod waste;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use jettison_oci::{Bytes, Digest};

use crate::content::Content;
use crate::error::{Error, Result};
use crate::image::{Instruction, align};
use crate::layer::index::{Entry, LayerIndex};
use crate::layer::read::ReadLayer;
use crate::source::Image;
use crate::tree::nodes::EntryId;
use crate::tree::{Cause, Fate, Link, NodeId, Payload, Stacked, Tree};

use self::looked::Looked;

pub use base::Base;
pub use dive::DiveFigures;
pub use duplicates::Duplicate;
pub use equal_contents::EqualContents;
pub(crate) use equal_contents::Threads;
pub use waste::{Waste, WastedPath};

/// The sizes of an image. They measure different things and are never mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Blobs as a registry stores and sends them, the sum over the layers; `None` where the
    /// source does not have them.
    pub compressed: Option<Bytes>,
    /// Uncompressed layer tars, headers and padding included.
    pub layers: Bytes,
    /// Payloads of all layers: `live + wasted`.
    pub files: Bytes,
    /// Payloads that some path of the final filesystem leads to, each once.
    pub live: Bytes,
    /// Payloads that none leads to.
    pub wasted: Bytes,
    /// Live payloads equal to another live one, beyond the first.
    pub duplicate: Bytes,
}

/// One layer's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Digest of the blob, where the source has blobs.
    pub digest: Option<Digest>,
    /// Media type of the blob, where the source has blobs.
    pub media_type: Option<String>,
    /// Bytes of the blob; `None` where the source does not have it compressed.
    pub compressed_size: Option<Bytes>,
    /// Bytes of the uncompressed tar.
    pub size: Bytes,
    /// Entries of the tar, whiteouts included.
    pub entries: usize,
    /// Payload bytes the layer brought: `live + wasted`.
    pub files: Bytes,
    /// Of those, live in the final filesystem.
    pub live: Bytes,
    /// Of those, hidden by this or a later layer.
    pub wasted: Bytes,
    /// Payload bytes of lower layers (and repeats of its own) that this layer hides.
    pub hides: Bytes,
    /// The instruction that made it.
    pub instruction: Option<Instruction>,
    /// Whether it belongs to the base image.
    pub base: bool,
}

/// An image, accounted for.
pub struct Account {
    /// The image's documents.
    pub image: Image,
    /// Its layers, read.
    pub read: Vec<ReadLayer>,
    /// Their entries.
    pub indexes: Vec<Arc<LayerIndex>>,
    /// The final filesystem.
    pub tree: Tree,
    /// Every payload, its fate settled.
    pub payloads: Vec<Payload>,
    /// Every hard link to one of them.
    pub links: Vec<Link>,
    /// The node of each live payload: the first of its paths by name.
    pub nodes: Vec<Option<NodeId>>,
    /// Hashes of the payloads whose content mattered.
    pub equal_contents: EqualContents,
    /// The sizes.
    pub sizes: Sizes,
    /// A row a layer, bottom first.
    pub layers: Vec<LayerRow>,
    /// Wasted bytes by cause and the two layers, largest first.
    pub waste: Vec<Waste>,
    /// Groups of equal live files, largest first.
    pub duplicates: Vec<Duplicate>,
    /// dive's own figures.
    pub dive: DiveFigures,
    /// Where the base image ends, if that is known.
    pub base: Option<Base>,
    /// What was odd about the image.
    pub warnings: Vec<String>,
    /// What was looked at of the contents.
    pub(crate) looked: Looked,
}

impl Account {
    /// Live bytes over all bytes; 1 where there are none.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn efficiency(&self) -> f64 {
        match self.sizes.files.get() {
            0 => 1.0,
            files => self.sizes.live.get() as f64 / files as f64,
        }
    }

    /// What the content of a payload says; `None` where it says nothing.
    pub(crate) fn content(&self, payload: u32) -> Result<Option<Arc<Content>>> {
        let entry = self.payloads[payload as usize].entry;
        let what = || crate::layer::read::name(&self.image, entry.layer as usize);
        self.read[entry.layer as usize].content(&what, entry.position as usize)
    }

    /// Whether [`Self::content`] goes to the content itself, instead of what was gathered of it.
    pub(crate) fn is_read_late(&self, payload: u32) -> bool {
        let entry = self.payloads[payload as usize].entry;
        self.read[entry.layer as usize].can_open(entry.position as usize)
    }

    /// The first bytes of a payload's content, into `buffer`. `None` where [`Self::is_read_late`] is
    /// not so.
    pub(crate) fn start<'b>(&self, payload: u32, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>> {
        let entry = self.payloads[payload as usize].entry;
        let what = || crate::layer::read::name(&self.image, entry.layer as usize);
        self.read[entry.layer as usize].start(&what, entry.position as usize, buffer)
    }

    /// What was gathered of a payload's content as it went by.
    pub(crate) fn gathered(&self, payload: u32) -> Option<Arc<Content>> {
        let entry = self.payloads[payload as usize].entry;
        self.indexes[entry.layer as usize].gathered(entry.position).cloned()
    }

    /// Bytes of the sections for debuggers and of the symbol table of a payload that is an ELF file.
    pub(crate) fn sections(&self, payload: u32) -> Result<Option<(u64, u64)>> {
        let entry = self.payloads[payload as usize].entry;
        let what = || crate::layer::read::name(&self.image, entry.layer as usize);
        self.read[entry.layer as usize].sections(&what, entry.position as usize)
    }

    /// The path that a payload's own entry bears.
    pub fn entry_path(&self, payload: &Payload) -> &[u8] {
        self.entry(payload.entry).path()
    }

    /// An entry that is explicit.
    pub fn entry(&self, id: EntryId) -> Entry<'_> {
        self.indexes[id.layer as usize].entry(id.position as usize)
    }
}

/// Accounts for the layers of `image`.
pub fn account(
    image: Image,
    layers: Vec<ReadLayer>,
    base: Option<Base>,
    jobs: NonZeroUsize,
) -> Result<Account> {
    let compare =
        |account: &Account| Ok((EqualContents::of_live(account, &Threads::new(jobs))?, ()));
    Ok(account_with(image, layers, base, jobs, compare)?.0)
}

/// The same, and what `beside` tells of the image: where there may be other threads, they compare
/// contents meanwhile. What that decides is still to come for it: sizes, the rows of layers, waste and
/// duplicates.
pub fn account_beside<T>(
    image: Image,
    layers: Vec<ReadLayer>,
    base: Option<Base>,
    jobs: NonZeroUsize,
    beside: impl FnOnce(&Account) -> T,
) -> Result<(Account, T)> {
    let compare = |account: &Account| {
        let Some(others) = NonZeroUsize::new(jobs.get() - 1) else {
            return Ok((EqualContents::of_live(account, &Threads::new(jobs))?, beside(account)));
        };
        let others = Threads::new(others);
        std::thread::scope(|scope| {
            let equal_contents = scope.spawn(|| EqualContents::of_live(account, &others));
            let told = beside(account);
            others.add_one();
            Ok((joined(equal_contents)?, told))
        })
    };
    account_with(image, layers, base, jobs, compare)
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn account_with<T>(
    image: Image,
    layers: Vec<ReadLayer>,
    base: Option<Base>,
    jobs: NonZeroUsize,
    compare: impl FnOnce(&Account) -> Result<(EqualContents, T)>,
) -> Result<(Account, T)> {
    let indexes: Vec<Arc<LayerIndex>> = layers.iter().map(|layer| layer.index.clone()).collect();
    // dive's tree is one of its own: where there may be another thread, it makes that meanwhile.
    std::thread::scope(|scope| {
        let beside = indexes.clone();
        let figures = move || dive::figures(&beside);
        let thread = (jobs.get() > 1).then(|| scope.spawn(figures.clone()));
        let mut account = stacked(image, layers, indexes, base)?;
        let (equal_contents, told) = compare(&account)?;
        account.compared(equal_contents)?;
        account.dive = thread.map_or_else(figures, joined);
        assert_sums(&account);
        Ok((account, told))
    })
}

/// What is known before contents are compared.
fn stacked(
    image: Image,
    layers: Vec<ReadLayer>,
    indexes: Vec<Arc<LayerIndex>>,
    base: Option<Base>,
) -> Result<Account> {
    let Stacked { tree, payloads, links, warnings: odd } = crate::tree::stack(&indexes)?;
    let nodes = live_nodes(&tree, payloads.len());
    let mut warnings = image.warnings.clone();
    warnings.extend(indexes.iter().flat_map(|index| index.warnings().iter().cloned()));
    warnings.extend(odd);
    if !align(&image.config.history, indexes.len()).1 {
        warnings.push(
            "the history does not match the layers; instructions are matched from the bottom"
                .to_owned(),
        );
    }
    Ok(Account {
        image,
        read: layers,
        indexes,
        tree,
        payloads,
        links,
        nodes,
        equal_contents: EqualContents::default(),
        sizes: Sizes::default(),
        layers: Vec::new(),
        waste: Vec::new(),
        duplicates: Vec::new(),
        dive: DiveFigures::default(),
        base,
        warnings,
        looked: Looked::default(),
    })
}

impl Account {
    /// Takes what equal contents decide.
    fn compared(&mut self, equal_contents: EqualContents) -> Result<()> {
        settle(&mut self.payloads, &equal_contents);
        let (layers, sizes) = rows(&self.image, &self.read, &self.payloads, self.base.as_ref())?;
        self.layers = layers;
        self.waste = waste::group(&self.payloads);
        self.duplicates =
            duplicates::find(&self.payloads, &equal_contents, &self.tree, &self.nodes);
        let duplicate = checked_sum(self.duplicates.iter().map(|row| row.bytes.get()))?;
        self.sizes = Sizes { duplicate, ..sizes };
        self.equal_contents = equal_contents;
        Ok(())
    }
}

/// An overwritten payload whose successor has the same content was only dressed anew.
fn settle(payloads: &mut [Payload], contents: &EqualContents) {
    for at in 0..payloads.len() {
        let Fate::Wasted { cause: Cause::Overwritten, hidden_by, successor } = payloads[at].fate
        else {
            continue;
        };
        let Some(next) = payloads.get(successor as usize) else { continue };
        let same = next.size == payloads[at].size && (next.size == 0 || contents.is_rewritten(at));
        if same {
            payloads[at].fate = Fate::Wasted { cause: Cause::MetadataOnly, hidden_by, successor };
        }
    }
}

/// For each payload the node whose path sorts first among those that lead to it.
fn live_nodes(tree: &Tree, payloads: usize) -> Vec<Option<NodeId>> {
    let mut nodes = vec![None; payloads];
    for node in tree.walk(NodeId::ROOT) {
        if let Some(payload) = tree.payload(node) {
            nodes[payload as usize].get_or_insert(node);
        }
    }
    nodes
}

fn rows(
    image: &Image,
    layers: &[ReadLayer],
    payloads: &[Payload],
    base: Option<&Base>,
) -> Result<(Vec<LayerRow>, Sizes)> {
    let (instructions, _) = align(&image.config.history, layers.len());
    let base_layers = base.and_then(|base| base.layers).unwrap_or(0);
    let mut rows: Vec<LayerRow> = image
        .layers
        .iter()
        .zip(layers)
        .zip(instructions)
        .enumerate()
        .map(|(at, ((layer, read), instruction))| LayerRow {
            diff_id: layer.diff_id.clone(),
            digest: layer.descriptor.as_ref().map(|d| d.digest.clone()),
            media_type: layer.descriptor.as_ref().map(|d| d.media_type.clone()),
            compressed_size: match &layer.descriptor {
                Some(descriptor) => Some(Bytes(descriptor.size)),
                None => read.compressed_size.map(Bytes),
            },
            size: Bytes(read.index.tar_size()),
            entries: read.index.len(),
            files: Bytes(0),
            live: Bytes(0),
            wasted: Bytes(0),
            hides: Bytes(0),
            instruction,
            base: at < base_layers,
        })
        .collect();
    for payload in payloads {
        let row = &mut rows[payload.entry.layer as usize];
        add(&mut row.files, payload.size)?;
        match payload.fate {
            Fate::Live(_) => add(&mut row.live, payload.size)?,
            Fate::Wasted { hidden_by, .. } => {
                add(&mut row.wasted, payload.size)?;
                add(&mut rows[hidden_by as usize].hides, payload.size)?;
            }
        }
    }
    let compressed = rows.iter().map(|row| row.compressed_size).collect::<Option<Vec<_>>>();
    let sum = |of: fn(&LayerRow) -> Bytes| checked_sum(rows.iter().map(|row| of(row).get()));
    let sizes = Sizes {
        compressed: match compressed {
            Some(sizes) => Some(checked_sum(sizes.iter().map(|size| size.get()))?),
            None => None,
        },
        layers: sum(|row| row.size)?,
        files: sum(|row| row.files)?,
        live: sum(|row| row.live)?,
        wasted: sum(|row| row.wasted)?,
        duplicate: Bytes(0),
    };
    Ok((rows, sizes))
}

fn add(to: &mut Bytes, size: u64) -> Result<()> {
    let sum = to.get().checked_add(size).filter(|sum| *sum <= CLAIMED_MAX);
    *to = Bytes(sum.ok_or_else(too_large)?);
    Ok(())
}

fn checked_sum(mut sizes: impl Iterator<Item = u64>) -> Result<Bytes> {
    let sum = sizes.try_fold(0_u64, u64::checked_add).filter(|sum| *sum <= CLAIMED_MAX);
    sum.map(Bytes).ok_or_else(too_large)
}

/// Bytes that an image may claim: what can be subtracted and added up again with a sign.
const CLAIMED_MAX: u64 = 1 << 61;

/// Sparse files can claim more bytes than 64 bits count.
fn too_large() -> Error {
    Error::corrupt("the image", "its files claim more than 2 EiB together")
}

/// The invariants of the account, which hold for every input or the numbers mean nothing.
fn assert_sums(account: &Account) {
    let Sizes { files, live, wasted, duplicate, .. } = account.sizes;
    assert_eq!(files.get(), live.get() + wasted.get(), "files = live + wasted");
    let by_cause: u64 = account.waste.iter().map(|row| row.bytes.get()).sum();
    assert_eq!(wasted.get(), by_cause, "wasted = the sum over causes");
    let hidden: u64 = account.layers.iter().map(|row| row.hides.get()).sum();
    assert_eq!(wasted.get(), hidden, "wasted = the sum over hiding layers");
    assert!(duplicate <= live, "duplicates are live");
}
