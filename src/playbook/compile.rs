//! Template texts → compiled templates, each once in the life of the program.
//!
//! One environment serves everything, because nothing in it depends on a playbook: strict about
//! undefined names, the final newline kept, `trim_blocks` and `lstrip_blocks` off (what stands in a
//! template is what is written; a block is trimmed where the author writes `{%-`), no escaping.

use super::filter;
use crate::yaml::{Node, Value, is_template};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, Expression, UndefinedBehavior};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

type Compiled = Expression<'static, 'static>;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);
static EXPRESSIONS: LazyLock<RwLock<HashMap<Box<str>, Arc<Compiled>>>> =
    LazyLock::new(RwLock::default);

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .trim_blocks(false)
        .lstrip_blocks(false)
        .build();
    // The default delimiters are always valid.
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Places of errors within a template.
    environment.set_debug(true);
    filter::add(&mut environment);
    // A template is named by its own text behind a marker, so that the environment's store is the
    // cache. Names without the marker come from `include` and `import`.
    environment.set_loader(|name| Ok(name.strip_prefix(MARKER).map(str::to_owned)));
    environment.set_path_join_callback(|name, _| format!("{INCLUDED}{name}").into());
    environment
}

const MARKER: char = '\u{1}';
const INCLUDED: &str = "other templates cannot be included: ";

/// A compiled template for a text.
pub(super) fn template(text: &str) -> Result<minijinja::Template<'static, 'static>, Error> {
    ENVIRONMENT.get_template(&format!("{MARKER}{text}"))
}

/// A compiled expression, as in `when:` or between `{{` and `}}`.
pub(super) fn expression(text: &str) -> Result<Arc<Compiled>, Error> {
    let known = EXPRESSIONS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(text)
        .cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let compiled = Arc::new(ENVIRONMENT.compile_expression_owned(text.to_owned())?);
    EXPRESSIONS
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(text.into(), compiled.clone());
    Ok(compiled)
}

/// The expression, and where it starts, when a text is exactly one `{{ expression }}`.
pub(super) fn sole_expression(text: &str) -> Option<(&str, usize)> {
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    let mut quote = None;
    let mut escaped = false;
    let mut depth = 0_i32;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{') => depth += 1,
            // `}}` closes the expression, unless braces of a map are open.
            (None, '}') if depth == 0 && inner[at..].starts_with("}}") => return None,
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    let offset = text.find(inner).unwrap_or(0);
    quote.is_none().then_some((inner, offset))
}

/// The names that the templates in a value ask for, at any depth.
pub fn variables_in(node: &Node) -> BTreeSet<String> {
    match &node.value {
        Value::Text(text) => variables_of(text),
        Value::List(items) => items.iter().flat_map(variables_in).collect(),
        Value::Map(entries) => entries
            .iter()
            .flat_map(|entry| variables_in(&entry.node))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Int(..) | Value::Float(..) => BTreeSet::new(),
    }
}

/// The names that a template asks for; none when it cannot be read, which rendering will report.
pub fn variables_of(text: &str) -> BTreeSet<String> {
    if !is_template(text) {
        return BTreeSet::new();
    }
    let nested = template(text).map(|template| template.undeclared_variables(true));
    let mut names = BTreeSet::new();
    for path in nested.unwrap_or_default() {
        let mut parts = path.split('.');
        names.extend(parts.next().map(str::to_owned));
        // hostvars.db1.name: the last part is a variable, too.
        names.extend(parts.map(str::to_owned));
    }
    names
}
