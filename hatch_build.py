"""Addresses in the package's metadata: a workflow of GitHub knows those of its repository, other builds name none."""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE_LINK = re.compile(r"(!?)(\[[^\]]*\]\()(?!https?:|#)")


class Addresses(MetadataHookInterface):
    """Add the project's addresses, and the README, whose pictures and links need whole addresses on a package index."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in `urls` and `readme`."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["urls"] = {}
        if "GITHUB_REPOSITORY" in os.environ:
            home = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}".format_map(os.environ)
            metadata["urls"] = {
                "Homepage": home,
                "Documentation": f"{home}/tree/HEAD/docs",
                "Changelog": f"{home}/blob/HEAD/CHANGELOG.md",
                "Issues": f"{home}/issues",
            }
            version = os.environ["GITHUB_REF_NAME"]
            text = RELATIVE_LINK.sub(lambda match: f"{match[0]}{home}/{'raw' if match[1] else 'blob'}/{version}/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
