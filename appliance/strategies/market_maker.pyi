from appliance.config_section import Section
from dataplane.strategy import Strategy

class MarketMaker(Strategy):
    def __init__(self, params: Section) -> None: ...
