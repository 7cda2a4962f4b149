//! `provision explain`: the page behind a code.

use crate::failure::Failure;
use crate::yaml::suggest;
use std::fmt::Write as _;
use std::io::Write as _;

/// The pages, a file a layer. They are built in, so that they are at hand where the program is.
const FILES: [&str; 5] = [
    include_str!("../../docs/explain/hosts.md"),
    include_str!("../../docs/explain/swarm.md"),
    include_str!("../../docs/explain/glusterfs.md"),
    include_str!("../../docs/explain/database.md"),
    include_str!("../../docs/explain/kompira.md"),
];

/// What is told about one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Such as `P7`.
    pub code: &'static str,
    /// What was found, in a few words.
    pub title: &'static str,
    /// What is seen, why it is refused, where to look, what to do.
    pub body: &'static str,
}

/// All pages, layer by layer.
pub fn pages() -> impl Iterator<Item = Page> {
    FILES
        .iter()
        .flat_map(|file| file.split("\n## ").skip(1).filter_map(page))
}

fn page(section: &'static str) -> Option<Page> {
    let (heading, body) = section.split_once('\n')?;
    let (code, title) = heading.split_once(": ")?;
    Some(Page {
        code,
        title,
        body: body.trim_end(),
    })
}

/// The page of a code, or the list of all.
///
/// # Errors
/// When there is no such code.
pub fn explain(code: Option<&str>) -> Result<u8, Failure> {
    let mut out = String::new();
    match code {
        None => {
            for page in pages() {
                let _ = writeln!(out, "{:<4} {}", page.code, page.title);
            }
        }
        Some(code) => {
            let Some(page) = pages().find(|page| page.code.eq_ignore_ascii_case(code)) else {
                let failure = Failure::usage(format!("there is no code `{code}`"));
                return Err(match suggest(code, pages().map(|page| page.code)) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint("`provision explain` lists them"),
                });
            };
            let _ = writeln!(out, "{}: {}\n{}", page.code, page.title, page.body);
        }
    }
    let _ = write!(std::io::stdout(), "{out}");
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::pages;
    use std::collections::BTreeSet;

    #[test]
    fn every_page_says_what_to_do() {
        let mut seen = BTreeSet::new();
        for page in pages() {
            assert!(seen.insert(page.code), "{} is there twice", page.code);
            let has = |word: &str| page.body.lines().any(|line| line.starts_with(word));
            assert!(
                has("Do: ") || has("What is done: "),
                "{} does not say what to do",
                page.code
            );
        }
    }
}
