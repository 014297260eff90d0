//! What proves who asks: never shown, its origin always.

use std::fmt;

/// A secret of one of the kinds that registries take.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Secret {
    /// For Basic authentication, and for a token service.
    Password {
        /// The account.
        user: String,
        /// Its password or access token.
        password: String,
    },
    /// An `OAuth2` refresh token, good for access tokens.
    IdentityToken(String),
    /// A bearer token that the registry takes as it is.
    RegistryToken(String),
}

/// Kept out of logs and panics.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::IdentityToken(_) => "IdentityToken",
            Self::RegistryToken(_) => "RegistryToken",
        })
    }
}

/// A secret and where it was found.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    /// What is sent.
    pub(super) secret: Secret,
    /// The file, and the helper that it names.
    pub(super) origin: String,
}

/// `the credentials of alice from /home/alice/.docker/config.json`.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            Secret::Password { user, .. } => {
                let user = jettison_oci::escape::line(user);
                write!(f, "the credentials of {user} from {}", self.origin)
            }
            Secret::IdentityToken(_) => write!(f, "the identity token from {}", self.origin),
            Secret::RegistryToken(_) => write!(f, "the registry token from {}", self.origin),
        }
    }
}
