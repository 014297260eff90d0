//! Hashing of what is read, for comparison with the digest under which it was named.

use std::io::{self, Read};

use jettison_oci::{Algorithm, Digest};
use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Result};

/// Hashes bytes by the algorithm of a digest.
#[derive(Clone, Debug)]
pub enum Digester {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Box<Sha512>),
}

impl Digester {
    /// A digester for `algorithm`.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::new(Sha512::new())),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all bytes.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::from_hash(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::from_hash(Algorithm::Sha512, &hasher.finalize()),
        }
    }
}

/// Passes bytes on, counts them and, where asked to, hashes them.
#[derive(Debug)]
pub struct Metered<R> {
    inner: R,
    digester: Option<Digester>,
    bytes: u64,
}

impl<R: Read> Metered<R> {
    /// Counts `inner`, and hashes it by `algorithm` if there is one.
    pub fn new(inner: R, algorithm: Option<Algorithm>) -> Self {
        Self { inner, digester: algorithm.map(Digester::new), bytes: 0 }
    }

    /// Bytes read so far.
    pub fn read_so_far(&self) -> u64 {
        self.bytes
    }

    /// Bytes read, and their digest.
    pub fn finish(self) -> (u64, Option<Digest>) {
        (self.bytes, self.digester.map(Digester::finish))
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        if let Some(digester) = &mut self.digester {
            digester.update(&buffer[..read]);
        }
        Ok(read)
    }
}

/// Fails unless what was read is what was named. `what` names the blob.
pub fn check(what: &str, expected: &Digest, computed: &Digest) -> Result<()> {
    if expected == computed {
        return Ok(());
    }
    Err(Error::DigestMismatch {
        what: what.to_owned(),
        expected: expected.clone(),
        computed: computed.clone(),
    })
}
