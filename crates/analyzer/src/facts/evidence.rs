//! How sure it is that a file is used, and why.

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The weakest evidence on the way.
    pub evidence: Evidence,
    /// What it is for the file before it, or for the configuration: `#! of`, `ENTRYPOINT`.
    pub how: String,
    /// The file before it; `None` where the chain starts.
    pub from: Option<NodeId>,
}

/// The claims on every node: the strongest on each, and of equally strong ones the first.
pub struct Claims {
    by_node: Vec<Option<Claim>>,
    /// How many claims were taken, replaced ones included.
    count: usize,
}

impl Claims {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { by_node: vec![None; nodes], count: 0 }
    }

    /// The claim on a node.
    pub fn get(&self, node: NodeId) -> Option<&Claim> {
        self.by_node[node.0 as usize].as_ref()
    }

    /// The evidence of a node.
    pub fn evidence(&self, node: NodeId) -> Evidence {
        self.get(node).map_or(Evidence::None, |claim| claim.evidence)
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
        self.by_node[node.0 as usize] = Some(Claim { evidence, how: how.to_owned(), from });
        self.count += 1;
        true
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
            chain.push((node, claim.how.as_str()));
            at = claim.from;
        }
        chain
    }
}
