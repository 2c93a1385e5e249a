//! What is known about one image when it is judged.

use std::sync::Arc;

use boltseal_model::{
    Base, Distro, Finding, Gap, Leak, Malware, Misconfiguration, Package, Report, Signature, SnapshotInfo,
    Subject, Unowned,
};

/// Everything a policy may look at, borrowed from wherever it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Which image.
    pub subject: &'a Subject,
    /// The feeds it was matched with, if there were any.
    pub snapshot: Option<&'a SnapshotInfo>,
    /// Its operating system.
    pub distro: Option<&'a Distro>,
    /// What was not looked at.
    pub gaps: &'a [Gap],
    /// What is installed.
    pub packages: &'a [Package],
    /// Which credentials lie in it; `None` where nobody looked.
    pub leaks: Option<&'a [Leak]>,
    /// What should be otherwise about how it is made; says nothing where nobody looked for `leaks` either.
    pub misconfigurations: &'a [Misconfiguration],
    /// Executables that belong to no package; the same.
    pub unowned: &'a [Unowned],
    /// Files that are known to be malicious; the same.
    pub malware: &'a [Malware],
    /// What is signed about it, and whose that is by the names of the policy; `None` where nobody looked.
    pub signatures: Option<&'a [Signature]>,
    /// What it was built on, by its layers; `None` where nobody could tell.
    pub bases: Option<&'a [Base]>,
    /// What is wrong with it.
    pub findings: Findings<'a>,
}

impl<'a> From<&'a Report> for Facts<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            subject: &report.subject,
            snapshot: report.snapshot.as_ref(),
            distro: report.distro.as_ref(),
            gaps: &report.coverage.gaps,
            packages: &report.packages,
            leaks: report.leaks.as_deref(),
            misconfigurations: &report.misconfigurations,
            unowned: &report.unowned,
            malware: &report.malware,
            signatures: report.signatures.as_deref(),
            bases: report.bases.as_deref(),
            findings: Findings::Plain(&report.findings),
        }
    }
}

/// Findings as a report owns them, or shared between the images of a fleet.
#[derive(Clone, Copy, Debug)]
pub enum Findings<'a> {
    /// In a report.
    Plain(&'a [Finding]),
    /// Shared by the images of a fleet.
    Shared(&'a [Arc<Finding>]),
    /// Picked from somewhere else.
    Picked(&'a [&'a Finding]),
}

impl<'a> Findings<'a> {
    /// How many.
    pub const fn len(self) -> usize {
        match self {
            Self::Plain(list) => list.len(),
            Self::Shared(list) => list.len(),
            Self::Picked(list) => list.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// All of them, in their order.
    pub fn iter(self) -> impl Iterator<Item = &'a Finding> {
        (0..self.len()).filter_map(move |index| match self {
            Self::Plain(list) => list.get(index),
            Self::Shared(list) => list.get(index).map(|finding| &**finding),
            Self::Picked(list) => list.get(index).copied(),
        })
    }
}
