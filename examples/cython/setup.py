"""Builds first.pyx against an installed tickplane: python setup.py build_ext --inplace"""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

import dataplane

setup(
    name="first",
    ext_modules=cythonize(
        [Extension("first", ["first.pyx"], include_dirs=[dataplane.get_include()])],
        # An editable install keeps the .pxd files where the sources are.
        include_path=[str(Path(dataplane.__file__).resolve().parent.parent)],
        language_level=3,
    ),
)
