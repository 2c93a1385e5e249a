//! Sets of actions as bits, and the patterns that roles are written in.

use super::{Action, Plane};
use crate::glob;

/// Azure's names are at most half as long; matching costs pattern times name.
pub(crate) const MAX_PATTERN: usize = 256;

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actions(u128);

const _: () = assert!(Action::ALL.len() <= 128, "a set of actions has 128 bits");

impl Actions {
    /// No action.
    pub const NONE: Self = Self(0);

    /// All actions of one plane.
    pub fn all_of(plane: Plane) -> Self {
        Action::ALL.iter().copied().filter(|action| action.plane() == plane).collect()
    }

    /// Whether `action` is in it.
    pub const fn contains(self, action: Action) -> bool {
        self.0 & (1 << action as u8) != 0
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this one and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The actions, in the order of [`Action::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| self.contains(*action))
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |bits, action| bits | 1 << action as u8))
    }
}

/// Control actions from before Azure's registries had data actions, and what each of them lets one do.
///
/// They count only when a role names them exactly: Owner's `*` covers their names too, and Owner must not read images.
pub(crate) const LEGACY: &[(&str, &[Action])] = &[
    ("Microsoft.ContainerRegistry/registries/pull/read", &[Action::ContentRead, Action::MetadataRead]),
    ("Microsoft.ContainerRegistry/registries/push/write", &[Action::ContentWrite, Action::MetadataWrite]),
    (
        "Microsoft.ContainerRegistry/registries/artifacts/delete",
        &[Action::ContentDelete, Action::MetadataDelete],
    ),
    ("Microsoft.ContainerRegistry/registries/metadata/read", &[Action::MetadataRead]),
    ("Microsoft.ContainerRegistry/registries/metadata/write", &[Action::MetadataWrite]),
    ("Microsoft.ContainerRegistry/registries/sign/write", &[Action::TrustWrite]),
    ("Microsoft.ContainerRegistry/registries/quarantine/read", &[Action::QuarantineRead]),
    ("Microsoft.ContainerRegistry/registries/quarantine/write", &[Action::QuarantineWrite]),
    ("Microsoft.ContainerRegistry/registries/quarantineRead/read", &[Action::QuarantineRead]),
    ("Microsoft.ContainerRegistry/registries/quarantineWrite/write", &[Action::QuarantineWrite]),
];

/// One entry of a role: an action's name, in which `*` stands for any run of characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern<'a>(pub(crate) &'a str);

impl Pattern<'_> {
    /// The known actions of one plane whose names fit; case does not matter, as in Azure.
    pub(crate) fn actions(self, plane: Plane) -> Actions {
        Action::ALL
            .iter()
            .copied()
            .filter(|action| action.plane() == plane && self.fits(action.name()))
            .collect()
    }

    /// The data actions that this entry of `actions` stands for, if it is an old name, written out.
    pub(crate) fn legacy(self) -> Actions {
        let named = LEGACY.iter().find(|(name, _)| name.eq_ignore_ascii_case(self.0));
        named.map(|(_, actions)| actions.iter().copied().collect()).unwrap_or_default()
    }

    /// Whether a name fits.
    pub(crate) fn fits(self, name: &str) -> bool {
        glob::fits_ignoring_case(self.0, name)
    }
}

/// Why a text cannot be an entry of a role, if it cannot.
pub(crate) fn malformed(pattern: &str) -> Option<&'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'*' | b'_' | b'-');
    if pattern.is_empty() || pattern.len() > MAX_PATTERN {
        return Some("an action has 1 to 256 characters");
    }
    if !pattern.bytes().all(allowed) {
        return Some("an action has letters, digits and . / * _ -");
    }
    (pattern != "*" && !pattern.contains('/')).then_some("an action is `*`, or has a `/` in it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_come_back() {
        for action in Action::ALL {
            assert_eq!(action.name().parse(), Ok(*action));
            assert_eq!(action.name().to_ascii_uppercase().parse(), Ok(*action));
            assert_eq!(malformed(action.name()), None);
        }
    }

    #[test]
    fn patterns_stand_for_actions() {
        for (pattern, plane, expected) in [
            ("*", Plane::Control, Actions::all_of(Plane::Control).len()),
            ("*", Plane::Data, Actions::all_of(Plane::Data).len()),
            ("Microsoft.KeyVault/vaults/secrets/*", Plane::Data, 9),
            ("Microsoft.KeyVault/vaults/secrets/*", Plane::Control, 0),
            ("microsoft.keyvault/VAULTS/*/read", Plane::Data, 4),
            ("Microsoft.Authorization/*/Delete", Plane::Control, 2),
            ("Microsoft.Compute/*", Plane::Control, 0),
            ("Microsoft.KeyVault/vaults/read", Plane::Control, 1),
        ] {
            assert_eq!(Pattern(pattern).actions(plane).len(), expected, "{pattern} of {plane:?}");
        }
    }

    #[test]
    fn old_names_count_only_when_written_out() {
        let pull = Pattern("Microsoft.ContainerRegistry/registries/PULL/read").legacy();
        assert!(pull.contains(Action::ContentRead) && pull.contains(Action::MetadataRead) && pull.len() == 2);
        for wide in
            ["*", "*/read", "Microsoft.ContainerRegistry/*", "Microsoft.ContainerRegistry/registries/pull/*"]
        {
            assert!(Pattern(wide).legacy().is_empty(), "{wide}");
        }
    }
}
