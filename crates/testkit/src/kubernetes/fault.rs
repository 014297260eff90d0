//! What goes wrong.

use serde_json::Value;

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with a body of the kind Status as the real server words it.
    Status(u16),
    /// This status, with `Retry-After` in seconds.
    RetryAfter(u16, u64),
    /// This status with this body.
    Replaced(u16, Vec<u8>),
    /// The right answer, cut off after so many bytes of its body.
    Truncated(usize),
    /// A body of JSON that never ends.
    Endless,
    /// The request is taken and never answered.
    Hang,
    /// The connection is reset.
    Reset,
    /// The field selector is passed over, as by a server that does not know it.
    IgnoreSelector,
    /// The past is forgotten before it is answered, so that no list that was begun can be
    /// continued.
    Compacted,
    /// The right list, edited.
    Edited(fn(&mut Value)),
}

/// A fault that waits for its requests.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) part: String,
    pub(super) times: usize,
    pub(super) fault: Fault,
}
