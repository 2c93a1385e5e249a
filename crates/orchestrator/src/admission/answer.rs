//! What an API server is answered.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};

/// Reasons in one answer; people mend them one by one.
pub const MAX_REASONS: usize = 20;
/// Bytes of a message: clients print it on a terminal.
const MAX_MESSAGE: usize = 8 << 10;
/// Characters of a warning: API servers may cut longer ones.
const MAX_WARNING: usize = 250;
/// Warnings in one answer: API servers pass on 4,096 characters in all.
const MAX_WARNINGS: usize = 15;

/// The answer to a review.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Why not; allowed where there is nothing.
    pub refused: Vec<String>,
    /// What people are told although it is allowed.
    pub warnings: Vec<String>,
    /// What is changed before it is stored.
    pub patches: Vec<Patch>,
    /// What the API server keeps in its own log, by key.
    pub notes: Vec<(&'static str, String)>,
}

/// A text that is replaced (RFC 6902).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Patch {
    op: &'static str,
    path: String,
    value: String,
}

impl Patch {
    /// Puts `value` where `pointer` points.
    pub const fn replace(pointer: String, value: String) -> Self {
        Self { op: "replace", path: pointer, value }
    }
}

impl Answer {
    /// The body of the answer to the review of this id.
    pub fn body(&self, uid: &str) -> String {
        let allowed = self.refused.is_empty();
        let mut response = json!({"uid": uid, "allowed": allowed});
        let Some(fields) = response.as_object_mut() else { return String::new() };
        if !allowed {
            let message = message(&self.refused);
            fields
                .insert("status".to_owned(), json!({"code": 403, "reason": "Forbidden", "message": message}));
        }
        let warnings: Vec<String> = self.warnings.iter().take(MAX_WARNINGS).map(|text| line(text)).collect();
        if !warnings.is_empty() {
            fields.insert("warnings".to_owned(), json!(warnings));
        }
        if allowed && !self.patches.is_empty() {
            let patch = serde_json::to_vec(&self.patches).unwrap_or_default();
            fields.insert("patchType".to_owned(), json!("JSONPatch"));
            fields.insert("patch".to_owned(), json!(STANDARD.encode(patch)));
        }
        if !self.notes.is_empty() {
            let notes = self.notes.iter().map(|(key, text)| ((*key).to_owned(), json!(line(text))));
            fields.insert("auditAnnotations".to_owned(), Value::Object(notes.collect()));
        }
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
            .to_string()
    }
}

fn message(reasons: &[String]) -> String {
    let mut out = String::from("boltseal: ");
    out.push_str(&reasons.iter().take(MAX_REASONS).cloned().collect::<Vec<_>>().join("; "));
    if let Some(more) = reasons.len().checked_sub(MAX_REASONS).filter(|more| *more > 0) {
        out.push_str("; and ");
        out.push_str(&more.to_string());
        out.push_str(" more");
    }
    if out.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(end);
        out.push('…');
    }
    out
}

/// One line of printable text that an API server passes on whole.
fn line(text: &str) -> String {
    let plain = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    let mut out: String = plain.take(MAX_WARNING).collect();
    if text.chars().count() > MAX_WARNING {
        out.pop();
        out.push('…');
    }
    out
}
