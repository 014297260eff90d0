//! Hashes that tell whether two contents are equal, and nothing else: they are compared within one
//! run, or with those that a cache kept, and are never shown.
//!
//! That allows for a function five times as fast as a hash that everybody can compute: AEGIS-128L
//! as a MAC (draft-irtf-cfrg-aegis-aead, section "AEGIS as a MAC"), under a random key that no
//! author of an image knows. Equal tags of different contents would be a forgery. A processor
//! without AES instructions takes BLAKE3, which needs no key.

use std::sync::OnceLock;

use aegis::aegis128l::Aegis128LMac;

/// Hash of the content of a file. Two payloads of equal hash are equal.
pub type ContentHash = [u8; 32];

/// What nobody outside may know.
pub(crate) type Key = [u8; 16];

/// The function of this process: the first that is chosen, so that all hashes compare.
static FUNCTION: OnceLock<Function> = OnceLock::new();

enum Function {
    /// With the key in it.
    Aegis(Box<Aegis128LMac<32>>),
    Blake3,
}

impl Function {
    fn with(key: &Key) -> Self {
        if has_aes() { Self::Aegis(Box::new(Aegis128LMac::new(key))) } else { Self::Blake3 }
    }

    fn chosen() -> &'static Self {
        FUNCTION.get_or_init(|| random_key().map_or(Self::Blake3, |key| Self::with(&key)))
    }
}

/// Whether the processor has what makes AEGIS fast: what its library asks for.
fn has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("aes")
        && std::arch::is_x86_feature_detected!("avx");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// A new key; `None` where the system has no random bytes to give.
pub(crate) fn random_key() -> Option<Key> {
    let mut key = Key::default();
    getrandom::fill(&mut key).ok().map(|()| key)
}

/// Chooses the key of this process, unless one was chosen already.
pub(crate) fn choose(key: &Key) {
    let _ = FUNCTION.set(Function::with(key));
}

/// Tells functions and keys apart without telling the key.
pub fn identity() -> ContentHash {
    of(b"jettison: which function, which key")
}

/// The hash of a whole content.
pub fn of(content: &[u8]) -> ContentHash {
    match Function::chosen() {
        Function::Blake3 => *blake3::hash(content).as_bytes(),
        Function::Aegis(keyed) => {
            let mut state = (**keyed).clone();
            state.update(content);
            state.finalize()
        }
    }
}

/// Hashes a content that comes in pieces.
#[expect(clippy::large_enum_variant, reason = "the large one is the rule, and is moved once")]
pub(crate) enum Hasher {
    Aegis(Aegis128LMac<32>),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    pub(crate) fn new() -> Self {
        match Function::chosen() {
            Function::Aegis(keyed) => Self::Aegis((**keyed).clone()),
            Function::Blake3 => Self::Blake3(Box::new(blake3::Hasher::new())),
        }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Aegis(state) => state.update(piece),
            Self::Blake3(hasher) => {
                hasher.update(piece);
            }
        }
    }

    pub(crate) fn finish(self) -> ContentHash {
        match self {
            Self::Aegis(state) => state.finalize(),
            Self::Blake3(hasher) => *hasher.finalize().as_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_hash_of_the_whole() {
        let content: Vec<u8> = (0..70_000_u32).map(|n| (n % 251) as u8).collect();
        for step in [1, 7, 32, 4096, 65_536, 70_000] {
            let mut hasher = Hasher::new();
            content.chunks(step).for_each(|piece| hasher.update(piece));
            assert_eq!(hasher.finish(), of(&content), "in pieces of {step}");
        }
        assert_eq!(Hasher::new().finish(), of(b""));
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let content = vec![0_u8; 300];
        let whole = of(&content);
        for at in 0..content.len() {
            let mut other = content.clone();
            other[at] ^= 1;
            assert_ne!(of(&other), whole, "byte {at}");
            assert_ne!(of(&content[..at]), whole, "cut at {at}");
        }
    }

    #[test]
    fn another_key_is_another_function() {
        let tag = |key: Key| match Function::with(&key) {
            Function::Aegis(mut state) => {
                state.update(b"x");
                state.finalize()
            }
            Function::Blake3 => key.repeat(2).try_into().unwrap(),
        };
        assert_ne!(tag([1; 16]), tag([2; 16]));
    }
}
