"""How tools/site_assignments.py marks a value of the practice variant in a page's text, for assignments.py to find."""

import re

BEGIN, MIDDLE, END = "\ue000", "\ue001", "\ue002"  # private characters: no text contains them
MARK = re.compile(f"{BEGIN}(\\w+){MIDDLE}(.*?){END}", re.DOTALL)
