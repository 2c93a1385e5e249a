//! What people do with their own credentials, and how sign-in through another issuer is set up.

use serde::{Deserialize, Serialize};

/// `POST /api/v1/login/federated`: answered with a [`Session`](crate::access::Session) of the principal that the issuer's table names.
#[derive(Clone, Serialize, Deserialize)]
pub struct FederatedLogin {
    /// A token of another issuer.
    pub token: String,
}

impl std::fmt::Debug for FederatedLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FederatedLogin").finish_non_exhaustive()
    }
}

/// `POST /api/v1/me/password`: one's own new password; answered 204. Other sessions and tokens end.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewPassword {
    /// The one until now, or a secret.
    pub old: String,
    /// The one from now on.
    pub new: String,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPassword").finish_non_exhaustive()
    }
}

/// Answer of `POST /api/v1/me/totp`: a second factor to be set up. It counts once it is confirmed by
/// `POST /api/v1/me/totp/confirm` with a [`TotpCode`]. `DELETE /api/v1/me/totp` takes it away,
/// for whoever signed in with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewTotp {
    /// `otpauth://totp/…`, to show as a QR code.
    pub uri: String,
}

impl std::fmt::Debug for NewTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewTotp").finish_non_exhaustive()
    }
}

/// `POST /api/v1/me/totp/confirm`: answered with [`RecoveryCodes`].
#[derive(Clone, Serialize, Deserialize)]
pub struct TotpCode {
    /// Six digits that the authenticator shows now.
    pub code: String,
}

impl std::fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TotpCode").finish_non_exhaustive()
    }
}

/// Each stands once for the authenticator that was lost. Shown here and never again.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// All of them.
    pub codes: Vec<String>,
}

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveryCodes").field("codes", &self.codes.len()).finish()
    }
}

/// Sign-in of people through an `OpenID` Connect issuer. `GET|PUT|DELETE /api/v1/settings/sign-in`. Whom a token stands
/// for, federations say: one with this issuer, and the client id as its audience.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignInSetting {
    /// Exactly as its metadata names it.
    pub issuer: String,
    /// What the issuer calls us.
    pub client_id: String,
    /// What proves us to the issuer, unless we are a public client. Never answered; absent in a change, it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Where people reach this server, such as `https://boltseal.example`: `/sign-in/oidc/callback` below it is what
    /// has to be registered with the issuer.
    pub address: String,
    /// What the button says.
    #[serde(default = "button")]
    pub button: String,
    /// Further scopes to ask for, besides `openid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

fn button() -> String {
    "Sign in with your organisation".to_owned()
}

impl std::fmt::Debug for SignInSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInSetting")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
