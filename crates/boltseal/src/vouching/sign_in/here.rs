//! Who sits at this machine: whether anybody reads what is printed, and has a display on which a browser opens.
//!
//! ```text
//! reader  display  issuer does devices   how somebody signs in
//! no      -        -                     nobody does: the error says how to give a token
//! yes     yes      -                     in a browser, which is started
//! yes     no       yes                   elsewhere, by a code
//! yes     no       no                    in a browser, by the address that is printed
//! ```
//!
//! A browser is started by `xdg-open` from `PATH`, as desktops have it, and only where somebody sits who sees it. The address is
//! printed in any case. Whoever may read the arguments of other people's processes on this machine sees it, too, and could come back as
//! themselves; the name in the signature, which is printed, would then be theirs.

use std::{
    env,
    io::{self, IsTerminal as _},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    thread,
};

use super::Flow;
use crate::{exit::Failure, vouching::token::TOKENS_NEXT};

/// Starts what people see addresses with.
const OPENER: &str = "xdg-open";
/// Where a display is named: X11, Wayland.
const DISPLAYS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];
/// Secrets of ours that no browser needs.
const SECRETS: [&str; 4] =
    ["SIGSTORE_ID_TOKEN", "COSIGN_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"];

/// Who sits here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// Somebody reads what is printed.
    reader: bool,
    /// They have a display.
    display: bool,
}

impl Here {
    /// As it is now.
    pub fn of_process() -> Self {
        Self::look(|name| env::var(name).ok())
    }

    /// Looks at the terminal and the environment.
    fn look(environment: impl Fn(&str) -> Option<String>) -> Self {
        let display = DISPLAYS.iter().any(|name| environment(name).is_some_and(|value| !value.is_empty()));
        Self { reader: io::stderr().is_terminal(), display }
    }

    /// That somebody can sign in at `issuer`, where nobody said how.
    pub fn check(self, flow: Flow, issuer: &str) -> Result<(), Failure> {
        if flow != Flow::Auto || self.reader {
            return Ok(());
        }
        Err(Failure::usage(format_args!("nobody is at a terminal here to sign in at {issuer}")).next(
            format!(
                "{TOKENS_NEXT}; if somebody reads what is printed here, take --oidc-flow browser or device"
            ),
        ))
    }

    /// Whether it goes by a code, where the issuer does that or not.
    pub const fn takes_device(self, flow: Flow, does_devices: bool) -> bool {
        match flow {
            Flow::Device => true,
            Flow::Browser => false,
            Flow::Auto => !self.display && does_devices,
        }
    }

    /// Opens `address` where somebody sees it; whether that was begun.
    pub fn open(self, address: &str) -> bool {
        if !self.reader || !self.display {
            return false;
        }
        let mut opener = Command::new(OPENER);
        opener.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for secret in SECRETS {
            opener.env_remove(secret);
        }
        // Whoever breaks this command off does not want their browser closed.
        let Ok(mut child) = opener.process_group(0).spawn() else { return false };
        // What becomes of it, people see.
        thread::spawn(move || child.wait());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_somebody_signs_in() {
        let (nobody, there) = (Here { reader: false, display: true }, Here { reader: true, display: false });
        let desk = Here { reader: true, display: true };
        for (here, flow, does_devices, wanted) in [
            (nobody, Flow::Auto, true, None),
            (nobody, Flow::Browser, true, Some(false)),
            (nobody, Flow::Device, true, Some(true)),
            (there, Flow::Auto, true, Some(true)),
            (there, Flow::Auto, false, Some(false)),
            (there, Flow::Browser, true, Some(false)),
            (desk, Flow::Auto, true, Some(false)),
            (desk, Flow::Device, false, Some(true)),
        ] {
            let found =
                here.check(flow, "https://issuer.example").map(|()| here.takes_device(flow, does_devices));
            assert_eq!(found.ok(), wanted, "{here:?} {flow:?} {does_devices}");
        }
        assert!(!nobody.open("https://issuer.example") && !there.open("https://issuer.example"));
    }

    #[test]
    fn displays_are_named_in_the_environment() {
        for (variables, wanted) in [
            (&[][..], false),
            (&[("DISPLAY", "")], false),
            (&[("DISPLAY", ":0")], true),
            (&[("WAYLAND_DISPLAY", "wayland-0")], true),
            (&[("TERM", "xterm")], false),
        ] {
            let found = Here::look(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found.display, wanted, "{variables:?}");
        }
    }
}
