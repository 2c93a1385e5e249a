//! When what somebody signed counts: keys that are new, that ran out, that were taken back.
//!
//! ```text
//!             not_before              not_after
//!  ──────────────┼────────── counts ──────┼───────────────▶ proven time of the signature
//!                              revoked_at ┆ from here on nothing counts
//! ```
//!
//! What somebody says of the time of their own signature proves nothing: whoever stole a key says any. So an authority with a
//! window counts only where others prove the time: the log of a sigstore instance (its signed integrated time), a clock (RFC
//! 3161), or a signing authority of Notary Project. When an image was pushed proves nothing about its signatures elsewhere, and
//! is not looked at; neither is the present, so that the same signature is worth the same tomorrow.

use boltseal_model::{Timestamp, Window};

use crate::Unfit;

/// Whether what is proven to be signed at all of these moments counts. One clock that goes wrong, or lies, must not be enough to
/// move a signature into the window, so every moment must lie in it.
pub fn within(window: &Window, at: &[Timestamp]) -> Result<(), Unfit> {
    if window.is_always() {
        return Ok(());
    }
    if at.is_empty() {
        let why = format!("the authority {window}, and neither a log nor a clock says when it was signed");
        return Err(Unfit::Time(why));
    }
    for at in at {
        if let Some(revoked) = window.revoked_at.filter(|revoked| at >= revoked) {
            return Err(Unfit::AfterRevocation { at: *at, revoked });
        }
        if let Some(until) = window.not_after.filter(|until| at > until) {
            return Err(Unfit::Late { at: *at, until });
        }
        if let Some(from) = window.not_before.filter(|from| at < from) {
            return Err(Unfit::Early { at: *at, from });
        }
    }
    Ok(())
}
