import json


def to_geojson(track):
    features = []
    for p in track.points:
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [p.lon, p.lat]},
                "properties": {"name": p.name},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features})
