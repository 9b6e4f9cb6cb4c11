from appliance.config_section import Section
from dataplane.strategy import Strategy

class ImbalanceTaker(Strategy):
    def __init__(self, params: Section) -> None: ...
