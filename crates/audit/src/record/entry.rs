//! A record as an OCSF event, in canonical JSON.

use aws_lc_rs::digest;
use uuid::Uuid;

use super::{Class, Outcome, Record, Source, Subject, Why, json::Object, limit::Fitted};

/// The version of the schema that entries follow.
pub(super) const OCSF_VERSION: &str = "1.8.0";
/// Vendor and product in every entry.
const PRODUCT: &str = "Boltseal";
/// Of this build.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Stands where the id will be while the rest is hashed.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";
/// Most entries are shorter.
const USUAL_LENGTH: usize = 1536;

pub(super) fn write(record: &Record) -> Vec<u8> {
    let fitted = Fitted::of(record);
    let mut out = Vec::with_capacity(USUAL_LENGTH);
    let mut id_at = 0;
    Object::write(&mut out, |event| {
        first_half(event, record, &fitted);
        event.object("metadata", |metadata| id_at = write_metadata(metadata, record, &fitted));
        second_half(event, record, &fitted);
    });
    if record.id.is_none() {
        name_by_content(record, &mut out, id_at);
    }
    out
}

/// Fields up to `metadata`.
fn first_half(event: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    let (class, activity_id, activity_name) = record.activity.ocsf();
    let (action_id, action) = record.outcome.action();
    event.text("action", action);
    event.number("action_id", action_id.into());
    event.number("activity_id", activity_id.into());
    event.text("activity_name", activity_name);
    event.object("actor", |actor| {
        if record.why != Why::Unstated {
            actor.list_of_one("authorizations", |one| write_why(one, record, fitted));
        }
        if let Some(session) = fitted.session {
            actor.object("session", |object| object.text("uid", session));
        }
        actor.object("user", |user| write_actor(user, record, fitted));
    });
    match class {
        Class::Api => event.object("api", |api| api.text("operation", fitted.action)),
        Class::Lifecycle => event.object("app", |app| write_app(app, record, fitted)),
        Class::Authentication => {
            let (id, name) = record.actor.via.protocol();
            event.text("auth_protocol", name);
            event.number("auth_protocol_id", id.into());
        }
        Class::Account | Class::Access => {}
    }
    event.number("category_uid", class.category().into());
    event.number("class_uid", class.uid().into());
    if let Some(agent) = fitted.agent.filter(|_| has_request(class)) {
        event.object("http_request", |request| request.text("user_agent", agent));
    }
    if record.alert {
        event.yes("is_alert");
    }
}

/// Fields after `metadata`.
fn second_half(event: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    let class = record.activity.class();
    if class == Class::Access {
        event.texts("privileges", fitted.privilege);
    }
    let has_subject = record.subject != Subject::default();
    if has_subject && has_resources(class) {
        event.list_of_one("resources", |one| write_subject(one, record, fitted));
    }
    if class == Class::Authentication {
        event.object("service", |service| service.text("name", PRODUCT));
    }
    let (severity_id, severity) = record.severity.ocsf();
    event.text("severity", severity);
    event.number("severity_id", severity_id.into());
    if class != Class::Lifecycle {
        event.object("src_endpoint", |endpoint| write_source(endpoint, &record.source));
    }
    let (status_id, status) = record.outcome.status();
    event.text("status", status);
    event.text_of("status_detail", fitted.status);
    event.number("status_id", status_id.into());
    event.number("time", record.time.as_millisecond());
    event.number("type_uid", record.activity.type_uid().into());
    event.object("unmapped", |rest| write_unmapped(rest, record, fitted));
    match class {
        Class::Authentication => event.object("user", |user| write_actor(user, record, fitted)),
        Class::Account | Class::Access => event.object("user", |user| {
            user.text("name", fitted.subject.unwrap_or(fitted.scope));
            user.text("uid", fitted.scope);
        }),
        Class::Api | Class::Lifecycle => {}
    }
}

/// Whether OCSF's class has `http_request`.
pub(super) const fn has_request(class: Class) -> bool {
    !matches!(class, Class::Lifecycle)
}

/// Whether OCSF's class has `resources`.
pub(super) const fn has_resources(class: Class) -> bool {
    matches!(class, Class::Api | Class::Access)
}

/// An `authorization`: a role assignment or a rule, as its `policy`.
fn write_why(authorization: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    let (decision, kind) = match &record.why {
        Why::Granted { .. } => ("allow", ASSIGNMENT),
        Why::Rule(_) if record.outcome == Outcome::Denied => ("deny", RULE),
        Why::Rule(_) => ("allow", RULE),
        Why::Missing(_) | Why::Unstated => ("deny", MISSING),
    };
    authorization.text("decision", decision);
    authorization.object("policy", |policy| {
        if matches!(record.why, Why::Granted { .. }) {
            policy.object("data", |data| data.text("scope", fitted.why));
            policy.text("name", fitted.role);
            policy.text("type", kind);
            policy.text("uid", fitted.assignment);
        } else {
            policy.text("desc", fitted.why);
            policy.text("type", kind);
        }
    });
}

/// `policy.type` of a role assignment.
pub(super) const ASSIGNMENT: &str = "assignment";
/// `policy.type` of any other rule.
pub(super) const RULE: &str = "rule";
/// `policy.type` where nothing allows it.
pub(super) const MISSING: &str = "missing";

fn write_actor(user: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    user.text("name", fitted.actor_name);
    user.text("type", record.actor.kind.name());
    user.number("type_id", record.actor.kind.type_id().into());
    user.text("uid", fitted.actor_id);
}

/// What started or stopped: the subject, or Boltseal.
fn write_app(app: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    if record.subject == Subject::default() {
        write_product(app);
    } else {
        app.text("name", fitted.subject.unwrap_or(fitted.scope));
        app.text("uid", fitted.scope);
    }
}

fn write_product(product: &mut Object<'_>) {
    product.text("name", PRODUCT);
    product.text("vendor_name", PRODUCT);
    product.text("version", VERSION);
}

/// Answers with where the id stands.
fn write_metadata(metadata: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) -> usize {
    if !fitted.truncated.is_empty() {
        metadata.yes("is_truncated");
    }
    metadata.text("log_name", "audit");
    metadata.text_of("original_event_uid", fitted.original);
    metadata.object("product", write_product);
    // Lifecycle events have an actor by this profile only.
    let host = (record.activity.class() == Class::Lifecycle).then_some("host");
    metadata.texts("profiles", host.into_iter().chain(["security_control"]));
    match record.id {
        Some(id) => metadata.text("uid", id.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        None => metadata.text("uid", NO_ID),
    }
    let id_at = metadata.written().saturating_sub(NO_ID.len() + 1);
    metadata.text("version", OCSF_VERSION);
    id_at
}

fn write_source(endpoint: &mut Object<'_>, source: &Source) {
    match source.address {
        Some(address) => endpoint.text("ip", &address.to_string()),
        // An endpoint needs a name or an address.
        None => endpoint.text("name", source.door.name()),
    }
    if let Some(port) = source.port {
        endpoint.number("port", port.into());
    }
}

fn write_subject(resource: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    resource.text_of("name", fitted.subject);
    resource.text("uid", fitted.scope);
    if let Some(digest) = &record.subject.digest {
        resource.text("uid_alt", &digest.to_string());
    }
}

/// What OCSF has no place for, in general or in this class.
fn write_unmapped(rest: &mut Object<'_>, record: &Record, fitted: &Fitted<'_>) {
    let class = record.activity.class();
    if !fitted.detail.is_empty() {
        rest.raw("detail", &fitted.detail);
    }
    rest.text("door", record.source.door.name());
    rest.text_of("host", fitted.host);
    if class != Class::Api {
        rest.text("operation", fitted.action);
    }
    if record.subject != Subject::default() && !has_resources(class) {
        rest.list_of_one("resources", |one| write_subject(one, record, fitted));
    }
    if class == Class::Lifecycle {
        rest.object("src_endpoint", |endpoint| write_source(endpoint, &record.source));
    }
    if !fitted.truncated.is_empty() {
        rest.list("truncated", fitted.truncated.iter(), |one, cut| {
            one.number("bytes", i64::try_from(cut.bytes).unwrap_or(i64::MAX));
            one.text("digest", &cut.digest.to_string());
            one.text("field", cut.field);
        });
    }
    rest.text_of("user_agent", fitted.agent.filter(|_| !has_request(class)));
    rest.text("via", record.actor.via.name());
}

/// Time first, so that ids sort as entries do, then a hash of everything else: the same record has the same id.
fn name_by_content(record: &Record, out: &mut [u8], id_at: usize) {
    let hash = digest::digest(&digest::SHA256, out);
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    let millis = u64::try_from(record.time.as_millisecond()).unwrap_or(0);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    let mut text = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut text).as_bytes();
    if let Some(place) = out.get_mut(id_at..id_at + text.len()) {
        place.copy_from_slice(text);
    }
}
