"""What schemathesis must not send, for it would take the right answer for a wrong one."""

import schemathesis


@schemathesis.hook("map_case").apply_to(method="DELETE", path="/collections/{collection}")
def spare_default(context, case):
    """The collection `default` is always there: after its deletion it is empty, not gone."""
    if case.path_parameters.get("collection") == "default":
        case.path_parameters["collection"] = "other"
    return case


@schemathesis.hook("filter_case").apply_to(method="POST")
def send_what_arrives(context, case):
    """Of a form, a field without a name does not arrive, for the runtime passes over it, nor does an empty array."""
    return not is_form(case) or ("" not in case.body and [] not in case.body.values())


@schemathesis.hook("filter_case").apply_to(method="POST", path="/verify")
def send_files_as_files(context, case):
    """Where a field of a form may be a file or JSON, schemathesis sends a file without a filename, that is, a text."""
    return not is_form(case) or not hasattr(case.body.get("b"), "data")


def is_form(case):
    return case.media_type == "multipart/form-data" and isinstance(case.body, dict)
