//! What the store keeps makes the same directory again, and nothing else does.

use boltseal_identity::{Directory, Document, DocumentChange};

use super::world::{id, now, world};

fn mixed() -> Directory {
    world(
        "user | ada
        group | team | ada
        map | m | repositories/a/content/read
        token | t | m
        give | Owner | ada | /
        give | AcrPull | team | /registries/main/repositories/team/* | if repository like 'team/*' | until 2027-01-01T00:00:00Z",
    )
}

#[test]
fn there_and_back() {
    let directory = mixed();
    let documents = directory.documents().unwrap();
    assert_eq!(documents.len(), 6);
    let again = Directory::from_documents(documents.clone()).unwrap();
    assert_eq!(again.documents().unwrap(), documents);
    assert_eq!(
        format!("{:?}", again.assignments().collect::<Vec<_>>()),
        format!("{:?}", directory.assignments().collect::<Vec<_>>())
    );
}

/// Whatever edits are made, applying their document changes to a store gives the documents of the directory.
#[test]
fn changes_add_up() {
    let directory = mixed();
    let change =
        directory.apply(boltseal_identity::Edit::DeletePrincipal { principal: id("team") }, now()).unwrap();
    let mut store = directory.documents().unwrap();
    for change in change.documents {
        match change {
            DocumentChange::Put(document) => {
                store.retain(|kept| (&kept.kind, &kept.id) != (&document.kind, &document.id));
                store.push(document);
            }
            DocumentChange::Delete { kind, id } => {
                store.retain(|kept| (kept.kind.as_str(), &kept.id) != (kind, &id));
            }
        }
    }
    let sorted = |mut documents: Vec<Document>| {
        documents.sort_by_key(|document| (document.kind.clone(), document.id.clone()));
        documents
    };
    assert_eq!(sorted(store), sorted(change.directory.documents().unwrap()));
}

#[test]
fn documents_that_do_not_fit_together() {
    let directory = mixed();
    let documents = directory.documents().unwrap();
    let find = |kind: &str| documents.iter().find(|document| document.kind == kind).unwrap().clone();
    let with = |change: &dyn Fn(&mut Vec<Document>)| {
        let mut documents = documents.clone();
        change(&mut documents);
        Directory::from_documents(documents).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
    };
    let replaced = |kind: &'static str, from: &str, to: &str| {
        let mut document = find(kind);
        assert!(document.body.contains(from), "{}", document.body);
        document.body = document.body.replace(from, to);
        with(&|all| {
            all.retain(|kept| (&kept.kind, &kept.id) != (&document.kind, &document.id));
            all.push(document.clone());
        })
    };
    for (found, wanted) in [
        (
            with(&|all| all.push(Document { kind: "seal".into(), id: "x".into(), body: "{}".into() })),
            "document seal/x: this version knows no such kind",
        ),
        (with(&|all| all.push(find("principal"))), "is there already"),
        (with(&|all| all.retain(|document| document.kind != "principal")), "there is no principal"),
        (
            with(&|all| all.retain(|document| document.kind != "scope-map")),
            "there is no scope map m, which t names",
        ),
        (with(&|all| all.iter_mut().for_each(|document| document.id.push('0'))), " holds "),
        (
            replaced("scope-map", "\"registry\"", "\"registrar\""),
            "document scope-map/m cannot be read: line 1",
        ),
        (replaced("scope-map", "\"main\"", "\"a/b\""), "scope map `m`: `a/b` is not the name of a registry"),
        (replaced("principal", "\"credentials\"", "\"secrets\""), "cannot be read"),
        (replaced("assignment", "/", "x/"), "cannot be read"),
    ] {
        assert!(found.contains(wanted), "found {found}, wanted {wanted}");
    }
}
