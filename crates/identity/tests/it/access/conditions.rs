//! Conditions: what they mean, and what a person reads when one is wrong.

use boltseal_identity::{Action, Condition, Scope};

use super::world::{id, now, world};

const NAME: &str = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]";
const READ: &str = "ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'}";

/// Whether a condition lets somebody who may do everything with images pull `repository`.
fn holds(condition: &str, repository: &str) -> bool {
    let directory = world(&format!(
        "user | ada\ngive | Container Registry Repository Contributor | ada | / | if {}",
        condition.replace('\n', " ").replace("||", "OR")
    ));
    let scope = Scope::repository("main", repository).unwrap();
    directory.decide(id("ada"), Action::ContentRead, &scope, now()).is_granted()
}

#[test]
fn what_conditions_mean() {
    for (condition, fits, fits_not) in [
        (format!("{NAME} StringEquals 'team/a'"), "team/a", "team/b"),
        (format!("{NAME} StringEqualsIgnoreCase 'TEAM/a'"), "team/a", "team/b"),
        (format!("{NAME} StringNotEquals 'team/b'"), "team/a", "team/b"),
        (format!("{NAME} StringNotEqualsIgnoreCase 'TEAM/b'"), "team/a", "team/b"),
        (format!("{NAME} StringStartsWith 'team/'"), "team/a", "teams/a"),
        (format!("{NAME} StringStartsWithIgnoreCase 'TEAM/'"), "team/a", "teams/a"),
        (format!("{NAME} StringNotStartsWith 'dev/'"), "team/a", "dev/a"),
        (format!("{NAME} StringNotStartsWithIgnoreCase 'DEV/'"), "team/a", "dev/a"),
        (format!("{NAME} StringLike 't*/?'"), "team/a", "team/ab"),
        (format!("{NAME} StringLikeIgnoreCase 'T*/?'"), "team/a", "team/ab"),
        (format!("{NAME} StringNotLike 'd*'"), "team/a", "dev/a"),
        (format!("{NAME} stringequals 'team/a'"), "team/a", "team/b"),
        (format!("{NAME} ForAnyOfAnyValues:StringEquals {{'a', 'b'}}"), "b", "c"),
        (format!("{NAME} ForAllOfAnyValues:StringLike {{'a*','b*'}}"), "b1", "c1"),
        (format!("{NAME} ForAnyOfAllValues:StringNotEquals {{'a', 'b'}}"), "c", "b"),
        (format!("{NAME} ForAllOfAllValues:StringNotStartsWith {{'a', 'b'}}"), "c", "b1"),
        (
            "@Resource[microsoft.containerregistry/registries/repositories:NAME] StringEquals 'a'".to_owned(),
            "a",
            "b",
        ),
        (format!("!({NAME} StringEquals 'a')"), "b", "a"),
        (format!("NOT {NAME} StringEquals 'a'"), "b", "a"),
        (format!("({NAME} StringStartsWith 'a') && ({NAME} StringNotEquals 'ab')"), "ac", "ab"),
        (format!("{NAME} StringEquals 'a' OR {NAME} StringEquals 'b'"), "b", "c"),
        (format!("((!({READ})) OR ({NAME} StringEquals 'a'))"), "a", "b"),
        (format!("((!(ActionMatches{{'*/content/*'}})) OR ({NAME} StringEquals 'a'))"), "a", "b"),
        (
            format!(
                "(!(ActionMatches{{'Microsoft.ContainerRegistry/registries/pull/read'}})) OR {NAME} StringEquals 'a'"
            ),
            "a",
            "b",
        ),
        ("repository like \"team/*\"".to_owned(), "team/a/b", "other/a"),
        ("not repository like 'team/*' and not repository like 'x*'".to_owned(), "other", "x1"),
    ] {
        assert!(holds(&condition, fits), "{condition} does not hold for {fits}");
        assert!(!holds(&condition, fits_not), "{condition} holds for {fits_not}");
    }
}

/// No comparison with what a request does not have holds, so that a condition never widens by accident.
#[test]
fn what_is_not_there_fits_nothing() {
    let everything = "Container Registry Repository Catalog Lister";
    for (condition, wanted) in [
        (format!("{NAME} StringEquals 'a'"), false),
        (format!("{NAME} StringNotEquals 'a'"), false),
        (format!("(!({READ})) OR {NAME} StringEquals 'a'"), true),
    ] {
        let directory = world(&format!("user | ada\ngive | {everything} | ada | / | if {condition}"));
        let scope = Scope::registry("main").unwrap();
        let found = directory.decide(id("ada"), Action::CatalogRead, &scope, now()).is_granted();
        assert_eq!(found, wanted, "{condition}");
    }
}

#[test]
fn printed_in_azures_words_and_read_again() {
    for condition in [
        format!("((!({READ})) OR ({NAME} StringEqualsIgnoreCase 'team/a'))"),
        format!("!!{NAME} StringLike '*'"),
        format!("({READ} && ({READ} || {NAME} ForAnyOfAnyValues:StringNotLikeIgnoreCase {{'a','b'}}))"),
        "repository like 'team/*'".to_owned(),
        "@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals \
         {4633458b-17de-408a-b874-0445c86b69e6, 21090545-7CA7-4776-B22C-E363652D74D2}"
            .to_owned(),
    ] {
        let read: Condition = condition.parse().unwrap();
        assert_eq!(read.to_string(), condition, "as it was written");
        let again: Condition =
            read.azure().parse().unwrap_or_else(|error| panic!("{}: {error}", read.azure()));
        assert_eq!(again, read, "{condition}");
        assert_eq!(again.azure(), read.azure(), "{condition}");
    }
    let short: Condition = "repository like 'a*'".parse().unwrap();
    assert_eq!(short.azure(), format!("{NAME} StringLike 'a*'"));
}

#[test]
fn what_a_person_reads() {
    let long = format!("repository like '{}'", "x".repeat(300));
    let many = format!("{NAME} ForAnyOfAnyValues:StringEquals {{{}}}", vec!["'a'"; 65].join(","));
    let comparisons = vec!["repository like 'a'"; 65].join(" OR ");
    let deep = format!("{}repository like 'a'{}", "(".repeat(65), ")".repeat(65));
    let nots = format!("{} repository like 'a'", "!".repeat(17));
    let huge = "(".repeat(8193);
    for (condition, wanted) in [
        (
            "",
            "condition, character 0: found the end, wanted `(`, ActionMatches{'…'}, @Request[…] or repository like '…'",
        ),
        ("repository is 'a'", "condition, character 11: found `is`, wanted like"),
        ("repository like team", "condition, character 16: found `team`, wanted a pattern in quotes"),
        ("repository like 'a", "condition, character 16: found a text without end, wanted a quote"),
        (
            "repository like 'a' and repository like 'b' or repository like 'c'",
            "condition, character 44: AND and OR stand next to each other: put brackets around one of them",
        ),
        ("(repository like 'a'", "condition, character 20: found the end, wanted `)`"),
        ("repository like 'a')", "condition, character 19: found `)`, wanted AND, OR or the end"),
        ("repository like 'a' ;", "condition, character 20: found `;`, wanted a word, a bracket or a text"),
        (
            "SubOperationMatches{'Blob.List'}",
            "condition, character 0: `SubOperationMatches` is not known here: known are ActionMatches and repository like",
        ),
        (
            "@Principal[a] StringEquals 'b'",
            "condition, character 0: `a` is not known here: known are \
             Microsoft.ContainerRegistry/registries/repositories:name and \
             Microsoft.Authorization/roleAssignments:RoleDefinitionId of @Request and @Resource",
        ),
        (
            "@Request[Microsoft.ContainerRegistry/registries/repositories:name] NumericEquals '1'",
            "condition, character 67: `NumericEquals` is not known here: an operator such as StringEquals, \
             StringStartsWith or StringLike, with Not or IgnoreCase",
        ),
        (
            "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] GuidEquals 'x'",
            "condition, character 78: `x` is not known here: a role is named by its number",
        ),
        (
            "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] StringEquals 'x'",
            "condition, character 67: `StringEquals` is not known here: names are compared by String…, roles by Guid…",
        ),
        (&long, "a condition has at most 256 characters in a value"),
        (&many, "a condition has at most 64 values in braces"),
        (&comparisons, "a condition has at most 64 comparisons"),
        (&deep, "a condition has at most 64 brackets inside each other"),
        (&nots, "a condition has at most 16 levels"),
        (&huge, "a condition has at most 8192 characters"),
    ] {
        let found =
            condition.parse::<Condition>().map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
        assert_eq!(found, wanted, "{condition}");
    }
}
