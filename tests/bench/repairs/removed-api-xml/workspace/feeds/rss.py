import base64
import xml.etree.ElementTree as ET


def entries(xml_text):
    """Title, link and body of the entries of a feed; bodies may be base64."""
    root = ET.fromstring(xml_text)
    found = []
    for node in root.getchildren():
        if node.tag != "entry":
            continue
        found.append(
            {
                "title": (node.findtext("title") or "").strip(),
                "link": node.findtext("link"),
                "body": body(node.find("body")),
            }
        )
    return found


def body(node):
    if node is None or node.text is None:
        return ""
    if node.get("encoding") == "base64":
        return base64.decodestring(node.text.encode("ascii")).decode("utf-8")
    return node.text
