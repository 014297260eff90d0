//! How sure it is that a file is used, and why.

use hashbrown::HashMap;

use crate::layer::index::{NONE, position};
use crate::tree::NodeId;

/// How strongly a file is tied to what the image runs, weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Nothing leads to it.
    #[default]
    None,
    /// It is of a kind that is always kept: the rule is in the chain.
    Convention,
    /// Other files of its package are used, and it is data that they may read.
    PackageMate,
    /// A file that is used has its name or path in its text or data.
    Named,
    /// A file that is used cannot start, load or import without it.
    Needed,
    /// A profile saw it opened.
    Opened,
    /// A profile saw it executed.
    Executed,
}

impl Evidence {
    /// Every class, strongest first.
    pub const ALL: [Self; 7] = [
        Self::Executed,
        Self::Opened,
        Self::Needed,
        Self::Named,
        Self::PackageMate,
        Self::Convention,
        Self::None,
    ];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Executed => "executed",
            Self::Opened => "opened",
            Self::Needed => "needed",
            Self::Named => "named",
            Self::PackageMate => "package-mate",
            Self::Convention => "convention",
            Self::None => "none",
        }
    }
}

/// How sure it is that a file without evidence is unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Something that cannot be looked into may well use it.
    Low,
    /// Nothing that was looked into leads to it.
    Medium,
    /// No program reads files of its kind while it runs.
    High,
}

impl Confidence {
    /// Every confidence, surest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// One link of the chain that leads to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The weakest evidence on the way.
    pub evidence: Evidence,
    /// What it is for the file before it, or for the configuration: `#! of`, `ENTRYPOINT`.
    pub how: &'a str,
    /// The file before it; `None` where the chain starts.
    pub from: Option<NodeId>,
}

/// The claims on every node: the strongest on each, and of equally strong ones the first.
pub struct Claims {
    /// By node.
    evidence: Vec<Evidence>,
    /// By node, where there is evidence: the position of the words in `hows`, and the file before.
    links: Vec<(u32, u32)>,
    hows: Vec<Box<str>>,
    by_how: HashMap<Box<str>, u32>,
    /// How many claims were taken, replaced ones included.
    count: usize,
}

impl Claims {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            evidence: vec![Evidence::None; nodes],
            links: vec![(0, 0); nodes],
            hows: Vec::new(),
            by_how: HashMap::new(),
            count: 0,
        }
    }

    /// The claim on a node.
    pub fn get(&self, node: NodeId) -> Option<Claim<'_>> {
        let evidence = self.evidence(node);
        let (how, from) = self.links[node.0 as usize];
        (evidence > Evidence::None).then(|| Claim {
            evidence,
            how: &self.hows[how as usize],
            from: Some(from).filter(|from| *from != NONE).map(NodeId),
        })
    }

    /// The evidence of a node.
    pub fn evidence(&self, node: NodeId) -> Evidence {
        self.evidence[node.0 as usize]
    }

    /// The nodes with evidence, in no particular order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let claimed = (0_u32..).zip(&self.evidence).filter(|(_, found)| **found > Evidence::None);
        claimed.map(|(node, _)| NodeId(node))
    }

    /// How many claims were taken so far.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Takes a claim that is stronger than the one before; tells whether it is.
    pub(crate) fn take(
        &mut self,
        node: NodeId,
        evidence: Evidence,
        how: &str,
        from: Option<NodeId>,
    ) -> bool {
        if evidence <= self.evidence(node) {
            return false;
        }
        self.evidence[node.0 as usize] = evidence;
        self.links[node.0 as usize] = (self.position(how), from.map_or(NONE, |from| from.0));
        self.count += 1;
        true
    }

    /// Where words stand in `hows`: thousands of claims share a few dozen.
    fn position(&mut self, how: &str) -> u32 {
        if let Some(known) = self.by_how.get(how) {
            return *known;
        }
        let new = position(self.hows.len());
        self.hows.push(how.into());
        self.by_how.insert(how.into(), new);
        new
    }

    /// From a node back to where its chain starts: each node with what it is for the next one.
    pub fn chain(&self, node: NodeId) -> Vec<(NodeId, &str)> {
        let mut chain = Vec::new();
        let mut at = Some(node);
        while let Some(node) = at {
            let Some(claim) = self.get(node) else { break };
            // A claim is replaced by stronger ones only, which cannot lead in a circle; a bound
            // keeps a mistake in that from being a loop.
            if chain.len() > 1000 {
                break;
            }
            chain.push((node, claim.how));
            at = claim.from;
        }
        chain
    }
}
