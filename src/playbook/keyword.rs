//! Ansible's keywords that the language leaves out, each with the project's own way.

/// Keys of a play.
pub(super) const PLAY: [&str; 9] = [
    "name",
    "hosts",
    "layer",
    "needs",
    "vars",
    "become",
    "tags",
    "tasks",
    "gather_facts",
];

/// Keys of a task, beside its module.
pub(super) const TASK: [&str; 10] = [
    "name",
    "when",
    "loop",
    "loop_control",
    "become",
    "tags",
    "register",
    "vars",
    "changed_when",
    "loop_var",
];

/// Keys of an import.
pub(super) const IMPORT: [&str; 3] = ["name", "import_playbook", "tags"];

const CLUSTER: &str =
    "a cluster module looks at all its hosts and chooses the one to act through from what it sees";
const DERIVED: &str = "restarts are derived from state: a service restarts when what it has loaded is not what is on the disk, also after a run that broke off";
const FAILURES: &str =
    "a failed task stops its host, a failed cluster step its layer; what is safe goes on";
const INLINE: &str = "write the tasks out, or split the playbook with import_playbook";

/// Why Ansible's keyword `key` is not here, and what to do instead.
pub(super) fn left_out(key: &str) -> Option<&'static str> {
    Some(match key {
        "notify" | "listen" | "handlers" | "flush_handlers" | "force_handlers" => DERIVED,
        "run_once" | "delegate_to" | "delegate_facts" | "local_action" | "connection" => CLUSTER,
        "serial" | "strategy" | "order" | "throttle" | "max_fail_percentage" => {
            "hosts run at once, and what disrupts a cluster runs one host at a time by itself"
        }
        "ignore_errors" | "ignore_unreachable" | "any_errors_fatal" | "failed_when" => FAILURES,
        "block" | "rescue" | "always" => {
            "repeat `when` at each task; for recovery re-run the program, it goes on where it stopped"
        }
        "roles" | "role" | "include_role" | "import_role" | "include_tasks" | "import_tasks"
        | "include" | "include_vars" | "pre_tasks" | "post_tasks" => INLINE,
        "vars_files" | "set_fact" | "vars_prompt" => {
            "put variables under `vars`, in the inventory, or give them with -e NAME=VALUE"
        }
        "async" | "poll" | "until" | "retries" | "delay" | "wait_for" => {
            "modules wait for what they have started, with a deadline"
        }
        "gather_facts" | "gather_subset" | "setup" | "fact_path" => {
            "facts are not gathered: modules ask for what they need"
        }
        "with_items" | "with_list" | "with_dict" | "with_fileglob" | "with_sequence"
        | "with_together" | "with_nested" | "with_subelements" | "with_first_found" => {
            "write `loop:` with a list or an expression"
        }
        "no_log" => "secrets are kept out of all output by themselves",
        "check_mode" | "diff" => "--dry-run shows the plan with diffs and changes nothing",
        "remote_user" | "port" => "set ansible_user and ansible_port in the inventory",
        "become_user" | "become_method" | "become_flags" | "become_exe" => {
            "`become: true` means root by sudo; set ansible_become_user in the inventory"
        }
        "environment" | "module_defaults" | "collections" | "action" | "args" => {
            "write the module as a key of the task and its arguments as a mapping below it"
        }
        "debugger" | "timeout" => "every command has a deadline; see `-v` for what was run",
        _ => return None,
    })
}
