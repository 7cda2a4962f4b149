//! What the gluster program prints with `--xml`: elements by name, and its own verdict.

use roxmltree::{Document, Node};

/// Its reply: the document, or what it said instead.
pub(super) fn parse(text: &str) -> Result<Document<'_>, String> {
    Document::parse(text.trim()).map_err(|error| {
        let said = text.trim();
        if said.is_empty() {
            "it printed nothing".to_owned()
        } else {
            let start: String = said.chars().take(200).collect();
            format!("{error}: {start}")
        }
    })
}

/// Why the command failed; `None` when it did not. Its exit status says nothing with `--xml`.
pub(super) fn failure(document: &Document<'_>) -> Option<String> {
    let root = document.root_element();
    (text(root, "opRet") != "0").then(|| match text(root, "opErrstr") {
        "" => text(root, "output").to_owned(),
        error => error.to_owned(),
    })
}

/// All elements of this name below a node.
pub(super) fn all<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants()
        .filter(move |node| node.has_tag_name(name))
}

/// The text of the child of this name; empty when there is none.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.children()
        .find(|child| child.has_tag_name(name))
        .and_then(|child| child.text())
        .unwrap_or_default()
        .trim()
}
