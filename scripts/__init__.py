"""What stands behind `./run`.

Laws: everything `./run` itself imports is standard library only, since it runs before anything is installed.
The modules named `check_*` and `suite` run inside `.venv` and may import the product.
"""
