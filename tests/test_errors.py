import resemote_edge.errors as errors


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    for cls in classes:
        assert cls.__name__ in errors.__doc__
        assert issubclass(cls, errors.ResEmoteEdgeError)
        assert cls.__name__ in errors.__all__


def test_a_gate_has_an_exit_code_of_its_own():
    assert errors.GateError.exit_code == 3
    assert errors.ExportError.exit_code == 1


def test_missing_dependency_names_the_extra():
    message = str(errors.missing_dependency("onnx", "export", "exporting"))
    assert "pip install 'resemote-edge[export]'" in message
