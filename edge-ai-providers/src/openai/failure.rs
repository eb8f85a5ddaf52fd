use edge_ai_core::ToolResult;

/// Says in the text of a failed tool's result that it is one: these dialects have no field for it, and the model must know.
pub(crate) fn tell_failure(result: &ToolResult, text: &mut String) {
    let told = || {
        text.get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("error"))
    };
    if result.is_error && !told() {
        text.insert_str(0, "Error: ");
    }
}
